import { isConnectionLost, ReadOnlyServerError, rejectsWrites } from './errors.ts'
import { quoteName, READ_ONLY_VARIABLES } from './server-error.ts'

/** Sends a statement, and returns its rows. */
type Query = (sql: string) => Promise<{ Variable_name: string; Value: string }[]>

/**
 * Checks that the server of a session takes writes. An account with enough privileges writes to a read-only server, so its
 * variables are read first. Then an UPDATE that finds no row tries the right to write: a server can reject writes that its
 * variables allow, such as a Galera node without a quorum. Nothing is changed, and the table need not exist.
 *
 * @throws ReadOnlyServerError when a variable makes the server read-only.
 * @throws the database's error when the server rejects the UPDATE as a write, and the driver's when it does not respond.
 */
export async function requireWritable(query: Query, database: string): Promise<void> {
  const names = READ_ONLY_VARIABLES.map((name) => `'${name}'`)
  const rows = await query(`show global variables where variable_name in (${names.join(', ')})`)
  const on = rows.filter(({ Value }) => !['OFF', '0'].includes(Value)).map(({ Variable_name }) => Variable_name)
  if (on.length > 0) throw new ReadOnlyServerError(on)
  await query(`update ${quoteName(database)}.kysely_migration set name = name where false`).catch((error: unknown) => {
    if (rejectsWrites(error) || isConnectionLost(error)) throw error
  })
}
