import { isStatementTimeout, type Pool, type Reader, readSnapshot } from '@pointwise/db'
import type { AuditRun, TableScan, TableScans } from './audit-run.ts'
import type { AuditResult } from './audit-schemas.ts'
import { checkEvents } from './checks/check-events.ts'
import { checkOrders } from './checks/check-orders.ts'
import { checkSales } from './checks/check-sales.ts'
import { checkStockEvents } from './checks/check-stock-events.ts'
import { checkTotal, checkWallets } from './checks/check-wallets.ts'
import { readHorizon } from './checks/read-horizon.ts'
import { scanTable } from './checks/scan-table.ts'
import { Findings } from './findings.ts'
import { CHUNK_KEYS, selectSnapshotTime, type Table } from './queries/chunk-queries.ts'

export interface AuditOptions {
  /** The approximate number of rows that a statement reads. Default: 10,000. */
  chunkSize?: number
  /** The number of findings of each check that the result contains; all are counted. Default: 100. */
  findingsMax?: number
  /** The number of hours of sales, over all products, that are in memory at once. Default: 200,000. */
  entriesMax?: number
  /** The number of users, and of products, that are replayed at once. Default: 200,000. */
  subjectsMax?: number
  /** Called after each chunk, with the table or the checks in progress and the last id that was read. */
  progress?: (step: string, throughId: number) => void
}

/**
 * Checks that all stored records are consistent, in one snapshot of a running system. It takes no locks and blocks no
 * other transaction. Rows are read and compared in chunks, so that memory use and the duration of each statement do not
 * grow with the tables. For as long as the audit runs, the database retains old versions of the rows that change.
 *
 * @throws StatementTooSlowError when a statement takes longer than the pool allows, and the error of the database
 */
export async function audit(pool: Pool, options: AuditOptions = {}): Promise<AuditResult> {
  return readSnapshot(pool, (snapshot) => auditSnapshot(snapshot, options)).catch((error) => {
    throw isStatementTimeout(error) ? new StatementTooSlowError(error) : error
  })
}

/** Runs the audit in a transaction that is already open. Unless it reads one snapshot, it must be the only one that writes. */
export async function auditSnapshot(db: Reader, options: AuditOptions = {}): Promise<AuditResult> {
  const { chunkSize = 10_000, findingsMax = 100, entriesMax = 200_000, subjectsMax = 200_000 } = options
  const { progress = () => undefined } = options
  const startedAt = performance.now()
  const findings = new Findings(findingsMax)
  const { asOf } = await selectSnapshotTime(db).executeTakeFirstOrThrow()
  const bounds = { chunkSize, entriesMax, subjectsMax }
  await runChecks({ db, findings, progress, ...bounds })
  const { checks } = findings
  const sound = checks.every(({ broken }) => broken === 0)
  return { sound, asOf, durationMs: Math.round(performance.now() - startedAt), checks }
}

/** A statement of the audit took longer than the pool allows. The audit has no result. `cause` is the database's error. */
export class StatementTooSlowError extends Error {
  override readonly name = 'StatementTooSlowError'

  constructor(cause: Error) {
    super(
      'A statement of the audit took too long, so the audit was stopped. Nothing was found wrong, and nothing was changed. ' +
        'Run `npm run audit`, which allows each statement 60 seconds, or run the audit when the database has less load.',
      { cause },
    )
  }
}

type OnPool = (work: (pool: Pool) => Promise<AuditResult>) => Promise<AuditResult>

/** Runs one audit at a time, on one connection: a call during an audit gets the result of that audit. */
export class AuditRunner {
  readonly #onPool: OnPool
  #running: Promise<AuditResult> | undefined

  /** @param onPool runs the audit on the pool that it chooses, and on another one if the audit fails there */
  constructor(onPool: OnPool) {
    this.#onPool = onPool
  }

  run(): Promise<AuditResult> {
    this.#running ??= this.#onPool((pool) => audit(pool)).finally(() => {
      this.#running = undefined
    })
    return this.#running
  }
}

async function runChecks(run: AuditRun): Promise<void> {
  const scans = await scanTables(run)
  await checkWallets(run, scans)
  checkTotal(run, scans)
  await checkOrders(run, scans)
  await checkSales(run, scans)
  const eventRun = { ...run, horizon: await readHorizon(run.db, scans), duplicates: new Set<number>() }
  await checkEvents(eventRun, scans)
  await checkStockEvents(eventRun, scans)
}

async function scanTables(run: AuditRun): Promise<TableScans> {
  const scans: [Table, TableScan][] = []
  for (const table of Object.keys(CHUNK_KEYS) as Table[]) scans.push([table, await scanTable(run, table)])
  return Object.fromEntries(scans) as TableScans
}
