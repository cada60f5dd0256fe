import { type Pool, readSnapshot } from '@pointwise/db'
import type { AuditRun, TableScans } from './audit-run.ts'
import { checkEvents } from './checks/check-events.ts'
import { checkOrders } from './checks/check-orders.ts'
import { checkSales } from './checks/check-sales.ts'
import { scanTable } from './checks/check-tables.ts'
import { checkTotal, checkWallets } from './checks/check-wallets.ts'
import { type Check, Findings } from './findings.ts'
import { KEYS, selectMoment, type Table } from './queries/table-scan.ts'

export type { Check, CheckName, Finding } from './findings.ts'

/** What an audit found. */
export interface Audit {
  /** No promise is broken. */
  sound: boolean
  /** The moment of the snapshot, by the database's clock. */
  asOf: Date
  durationMs: number
  checks: Check[]
}

export interface AuditOptions {
  /** How many rows a statement reads at most, more or less; 10,000 where none is given. */
  chunkSize?: number
  /** How many findings of each check are kept; all are counted. */
  findingsMax?: number
  /** How many hours of products are added up at a time: a bound on memory. */
  entriesMax?: number
  /** Called after each chunk: what is being looked at, and the row at which it is. */
  progress?: (step: string, row: number) => void
}

/**
 * Holds the books against each other, in one consistent read of a running system: no lock is taken and nobody waits. Rows
 * are compared in the database, a chunk at a time, so that memory and each statement are bounded however long the
 * histories are. While it runs, the database keeps old versions of the rows that change.
 */
export async function audit(pool: Pool, options: AuditOptions = {}): Promise<Audit> {
  const { chunkSize = 10_000, findingsMax = 100, entriesMax = 200_000, progress = () => undefined } = options
  const started = performance.now()
  const findings = new Findings(findingsMax)
  const asOf = await readSnapshot(pool, async (snapshot) => {
    const moment = await selectMoment(snapshot).executeTakeFirstOrThrow()
    await check({ db: snapshot, findings, chunkSize, entriesMax, progress })
    return moment.asOf
  })
  const { checks } = findings
  const sound = checks.every(({ broken }) => broken === 0)
  return { sound, asOf, durationMs: Math.round(performance.now() - started), checks }
}

/** Runs one audit at a time, on one connection: a caller that arrives during an audit gets the result of that audit. */
export class AuditRunner {
  readonly #pool: Pool
  #running: Promise<Audit> | undefined

  constructor(pool: Pool) {
    this.#pool = pool
  }

  run(): Promise<Audit> {
    this.#running ??= audit(this.#pool).finally(() => {
      this.#running = undefined
    })
    return this.#running
  }
}

async function check(survey: AuditRun): Promise<void> {
  const extents: Partial<TableScans> = {}
  for (const table of Object.keys(KEYS) as Table[]) extents[table] = await scanTable(survey, table)
  const surveyed = extents as TableScans
  await checkWallets(survey, surveyed)
  checkTotal(survey, surveyed)
  await checkOrders(survey, surveyed)
  await checkSales(survey, surveyed)
  await checkEvents(survey, surveyed)
}
