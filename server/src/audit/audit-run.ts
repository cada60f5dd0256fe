import type { Db } from '@pointwise/db'
import type { Extent } from './checks/check-tables.ts'
import type { Ledger } from './findings.ts'
import type { Table } from './queries/table-scan.ts'

/** An audit under way: the snapshot it reads, what it found so far, and its bounds. */
export interface Survey {
  db: Db
  ledger: Ledger
  chunkSize: number
  entriesMax: number
  progress: (step: string, rows: number) => void
}

/** Every table, as it was cut into chunks. */
export type Extents = Record<Table, Extent>
