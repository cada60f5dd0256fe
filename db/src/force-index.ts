import { type Selectable, sql } from 'kysely'
import type { Tables } from './tables.ts'

/**
 * Returns a table for `selectFrom` or a join that the optimizer must read through `index`. Use it where correctness or
 * the number of rows read depends on the index: its order is the order of the row locks, or it lets a query stop after
 * one page.
 *
 * When the index does not exist, the statement fails with errno 1176.
 */
export function forceIndex<Table extends keyof Tables>(table: Table, index: string) {
  const hinted = sql`${sql.table(table)} force index (${sql.id(index)})`
  return sql<Selectable<Tables[Table]>>`${sql.table(table)}`.as<Table>(hinted)
}
