import type { Reader } from '@pointwise/db'
import type { Findings } from './findings.ts'
import type { Chunk, Table } from './queries/chunk-queries.ts'

/** An audit in progress: the snapshot it reads, its findings so far, and its bounds. */
export interface AuditRun {
  db: Reader
  findings: Findings
  /** The number of rows that a statement reads. */
  chunkSize: number
  /** The number of hours of sales, over all products, that are in memory at once. */
  entriesMax: number
  /** The number of users, and of products, that are replayed at once. */
  subjectsMax: number
  progress: (step: string, throughId: number) => void
}

/** An audit in progress that has scanned the tables and checks the events. */
export interface EventAuditRun extends AuditRun {
  horizon: Horizon
  /** The events that repeat an earlier one. They are not replayed. */
  duplicates: Set<number>
}

/** Where the events begin: no event before it is required. */
export interface Horizon {
  /** Whether no event was deleted on purpose. */
  isBeginning: boolean
  /** Every change since then has its event. */
  requiredSince: Date
}

/** The first pass over a table, which later checks use. */
export interface TableScan {
  chunks: Chunk[]
  rows: number
  /** The sum of the table's points; 0 for a table without points. */
  points: number
}

export type TableScans = Record<Table, TableScan>
