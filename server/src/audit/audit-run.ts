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
  progress: (step: string, throughId: number) => void
}

/** The first pass over a table, which later checks use. */
export interface TableScan {
  chunks: Chunk[]
  rows: number
  /** The sum of the table's points; 0 for a table without points. */
  points: number
}

export type TableScans = Record<Table, TableScan>
