/**
 * A process that owns a development database, for tests that end the process in different ways: `directory-owner.ts
 * <directory> <docker|local> <keep: yes|no> <after: wait|leave>`. It writes progress to standard error, and one line of
 * JSON to standard output when the database accepts connections. On SIGINT it queries the database, stops it, and
 * writes a line after each of the two.
 */
import { type DatabaseProvider, findDatabase } from '@pointwise/db/development'
import { createConnection } from 'mysql2/promise'

const [directory = '', provider, keep, after] = process.argv.slice(2)
const database = await findDatabase({
  directory,
  provider: provider as DatabaseProvider,
  keep: keep === 'yes',
  database: 'mysql',
  print: (line) => console.error(line),
})

async function queryPidFile(): Promise<string> {
  const connection = await createConnection(database.url)
  const [rows] = await connection.query('select @@pid_file as pidFile')
  await connection.end()
  return (rows as { pidFile: string }[])[0]?.pidFile ?? ''
}

process.once('SIGINT', async () => {
  console.log(`after SIGINT: ${await queryPidFile()}`)
  await database.stop()
  console.log('stopped')
  process.exit()
})

console.log(JSON.stringify({ url: database.url, pidFile: await queryPidFile() }))
if (after === 'wait') setInterval(() => undefined, 60_000)
