import { type Selectable, sql } from 'kysely'
import type { Tables } from './tables.ts'

/**
 * A table that is read through this index, whatever else the optimizer would rather do: for where the order of the
 * index is the order of the locks, or lets a reader stop after a page.
 */
export function forceIndex<Table extends keyof Tables>(table: Table, index: string) {
  const hinted = sql`${sql.table(table)} force index (${sql.id(index)})`
  return sql<Selectable<Tables[Table]>>`${sql.table(table)}`.as<Table>(hinted)
}
