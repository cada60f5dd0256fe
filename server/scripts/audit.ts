import { connect, pendingMigrations } from '@pointwise/db'
import { count, report } from '../src/audit/report.ts'
import { audit } from '../src/audit/service.ts'
import { ConfigError, readDatabaseConfig } from '../src/config.ts'
import { openEmbeddedDatabase } from '../src/embedded/start.ts'

const [SOUND, BROKEN, COULD_NOT_RUN] = [0, 1, 2]
const STATEMENT_TIMEOUT_MS = 60_000
const PROGRESS_EVERY_MS = 1_000

const say = (line: string) => process.stderr.write(`${line}\n`)

try {
  const { databaseUrl, databaseProvider } = readDatabaseConfig(process.env)
  process.exitCode = databaseUrl ? await run(databaseUrl) : await runOnKept(databaseProvider)
} catch (error) {
  say(`audit: ${sentence(error)}`)
  process.exitCode = COULD_NOT_RUN
}

async function runOnKept(way: 'docker' | 'local' | undefined): Promise<number> {
  const database = await openEmbeddedDatabase(way, say)
  try {
    say(`Reading ${database.description}.`)
    return await run(database.url)
  } finally {
    await database.stop()
  }
}

async function run(url: string): Promise<number> {
  const db = connect(url, { connections: 1, statementTimeoutMs: STATEMENT_TIMEOUT_MS })
  try {
    const pending = await pendingMigrations(db)
    if (pending.length > 0) throw new Error(`The database lacks ${pending.join(', ')}: start the server once.`)
    const result = await audit(db, { progress: tellNowAndThen() })
    process.stdout.write(report(result))
    return result.sound ? SOUND : BROKEN
  } finally {
    await db.destroy()
  }
}

/** Tells how far the audit is, once a second at most. */
function tellNowAndThen(): (step: string, row: number) => void {
  let last = performance.now()
  return (step, row) => {
    if (performance.now() - last < PROGRESS_EVERY_MS) return
    last = performance.now()
    say(`${step}: ${count(row)}`)
  }
}

function sentence(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error instanceof ConfigError) return `Bad configuration: ${error.message}`
  const { message, cause } = error as Error & { cause?: unknown }
  return cause instanceof Error ? `${message} Because: ${sentence(cause)}` : message
}
