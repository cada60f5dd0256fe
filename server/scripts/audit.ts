import { setTimeout as delay } from 'node:timers/promises'
import { connect, newerMigrations, type Pool, pendingMigrations, REPLICA_LAG_MS_MAX, Replica } from '@pointwise/db'
import type { AuditResult } from '../src/audit/audit-schemas.ts'
import { type AuditSource, formatCount, formatJson, formatReport } from '../src/audit/report.ts'
import { audit } from '../src/audit/service.ts'
import { readAuditConfig } from '../src/config.ts'
import { describeError } from '../src/describe-error.ts'
import { openEmbeddedDatabase } from '../src/embedded/start.ts'

const USAGE = 'The only option is --json.'
const EXIT_CODES = { sound: 0, broken: 1, failed: 2 }
const STATEMENT_TIMEOUT_MS = 60_000
const PROGRESS_INTERVAL_MS = 1_000
const REPLICA_INTERVAL_MS = 100

const print = (line: string) => process.stderr.write(`${line}\n`)
const args = process.argv.slice(2)
const isJson = args.includes('--json')

try {
  const unknown = args.find((arg) => arg !== '--json')
  if (unknown !== undefined) throw new Error(`There is no option ${unknown}. ${USAGE}`)
  const config = readAuditConfig(process.env)
  process.exitCode =
    config.mode === 'standalone'
      ? await auditDatabase(config.databaseUrl, config.replicaUrl)
      : await auditEmbeddedDatabase(config.databaseProvider, config.replicaUrl)
} catch (error) {
  const reason = describeError(error)
  if (isJson) process.stdout.write(formatJson({ error: reason }))
  print(`audit: ${reason}`)
  process.exitCode = EXIT_CODES.failed
}

async function auditEmbeddedDatabase(
  provider: 'docker' | 'local' | undefined,
  replicaUrl: string | undefined,
): Promise<number> {
  const database = await openEmbeddedDatabase(provider, print)
  try {
    print(`Reading ${database.description}.`)
    return await auditDatabase(database.url, replicaUrl)
  } finally {
    await database.stop()
  }
}

async function auditDatabase(url: string, replicaUrl: string | undefined): Promise<number> {
  const db = connect(url, { connections: 2, statementTimeoutMs: STATEMENT_TIMEOUT_MS })
  try {
    await requireMigrations(db)
    const { readFrom, ...result } = replicaUrl === undefined ? await auditPool(db) : await auditReplica(db, replicaUrl)
    process.stdout.write(
      isJson ? formatJson({ ...result, ...(readFrom && { readFrom }) }) : formatReport(result, readFrom),
    )
    return result.sound ? EXIT_CODES.sound : EXIT_CODES.broken
  } finally {
    await db.destroy()
  }
}

type SourcedResult = AuditResult & { readFrom?: AuditSource }

function auditPool(db: Pool): Promise<SourcedResult> {
  return audit(db, { progress: throttledProgress() })
}

/** Audits the replica, or the primary if the replica is not used or fails, and prints why. */
async function auditReplica(primary: Pool, url: string): Promise<SourcedResult> {
  let reason = ''
  const replica = new Replica({
    primary,
    url,
    connections: 1,
    longStatementTimeoutMs: STATEMENT_TIMEOUT_MS,
    onUnused: (found) => {
      reason = found
    },
  })
  try {
    await replica.start()
    // A replica that is behind by less than a comparison takes is used after the next one.
    const giveUpAt = performance.now() + REPLICA_LAG_MS_MAX
    while (!replica.isUsed && performance.now() < giveUpAt) await delay(REPLICA_INTERVAL_MS)
    return await replica.readLong(async (pool) => {
      const readFrom = pool === primary ? 'primary' : 'replica'
      print(
        readFrom === 'replica' ? 'Reading the replica.' : `Reading the primary. The replica is not used: ${reason}.`,
      )
      return { ...(await auditPool(pool)), readFrom }
    })
  } finally {
    await replica.close()
  }
}

async function requireMigrations(db: Pool): Promise<void> {
  const pending = await pendingMigrations(db).catch((cause) => {
    const action = 'Check that DATABASE_URL is correct and that the database is running.'
    throw new Error(`The database cannot be read: ${describeError(cause)}. ${action}`)
  })
  if (pending.length === 0) return reportNewerMigrations(await newerMigrations(db))
  throw new Error(
    `The database is missing migrations: ${pending.join(', ')}. Start the server once to apply them, then run the audit again.`,
  )
}

function reportNewerMigrations(newer: string[]): void {
  if (newer.length === 0) return
  print(
    `A newer version has added migrations: ${newer.join(', ')}. This audit does not check what they have added. Run the audit of that version, too.`,
  )
}

/** Prints the progress of the audit at most once a second. */
function throttledProgress(): (step: string, throughId: number) => void {
  let printedAt = performance.now()
  return (step, throughId) => {
    if (performance.now() - printedAt < PROGRESS_INTERVAL_MS) return
    printedAt = performance.now()
    print(`Checking ${step}: up to id ${formatCount(throughId)}.`)
  }
}
