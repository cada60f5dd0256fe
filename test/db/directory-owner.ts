/**
 * A process that owns a development database, for the tests that end it in every way:
 * `development-owner.ts <directory> <docker|local> <keep: yes|no> <after: wait|leave>`.
 * It writes progress to standard error and one line of JSON to standard output when the database answers. On SIGINT it
 * asks the database once more, stops it, and says so.
 */
import { type DatabaseProvider, findDatabase } from '@pointwise/db/development'
import { createConnection } from 'mysql2/promise'

const [directory = '', way, keep, after] = process.argv.slice(2)
const database = await findDatabase({
  directory,
  provider: way as DatabaseProvider,
  keep: keep === 'yes',
  database: 'mysql',
  print: (line) => console.error(line),
})

async function ask(): Promise<string> {
  const connection = await createConnection(database.url)
  const [rows] = await connection.query('select @@pid_file as pidFile')
  await connection.end()
  return (rows as { pidFile: string }[])[0]?.pidFile ?? ''
}

process.once('SIGINT', async () => {
  console.log(`after SIGINT: ${await ask()}`)
  await database.stop()
  console.log('stopped')
  process.exit()
})

console.log(JSON.stringify({ url: database.url, pidFile: await ask() }))
if (after === 'wait') setInterval(() => undefined, 60_000)
