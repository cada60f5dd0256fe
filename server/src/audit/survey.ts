import type { Db } from '@pointwise/db'
import type { Ledger } from './ledger.ts'
import type { Table } from './queries/chunks.ts'
import type { Extent } from './tables.ts'

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
