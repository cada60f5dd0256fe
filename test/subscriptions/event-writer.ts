import { createConnection } from 'mysql2/promise'
import { onTestFinished } from 'vitest'

/** A database session of its own that writes events without the server. */
export async function openEventWriter(url: string) {
  const connection = await createConnection(url)
  onTestFinished(() => connection.end())
  const execute = async (statement: string) => {
    const [result] = await connection.query(statement)
    return (result as { insertId: number }).insertId
  }
  return {
    execute,
    begin: () => execute('begin'),
    commit: () => execute('commit'),
    rollback: () => execute('rollback'),
    /** Writes an event of user 1 and returns its id. */
    insert: (amount = 1) =>
      execute(`insert into events (type, \`key\`, payload) values ('points.charged', 'user:1',
      '{"userId":1,"historyId":1,"amount":${amount},"balance":1}')`),
    /** Dates an event back. */
    age: (id: number, hours: number) =>
      execute(`update events set created_at = created_at - interval ${hours} hour where id = ${id}`),
  }
}
