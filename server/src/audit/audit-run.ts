import type { Reader } from '@pointwise/db'
import type { TableScan } from './checks/check-tables.ts'
import type { Findings } from './findings.ts'
import type { Table } from './queries/table-scan.ts'

/** An audit under way: the snapshot it reads, what it found so far, and its bounds. */
export interface AuditRun {
  db: Reader
  findings: Findings
  chunkSize: number
  entriesMax: number
  progress: (step: string, rows: number) => void
}

/** Every table, as it was cut into chunks. */
export type TableScans = Record<Table, TableScan>
