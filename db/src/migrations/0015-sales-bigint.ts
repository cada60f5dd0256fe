import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { errorCode } from '../errors.ts'

/** ER_ALTER_OPERATION_NOT_SUPPORTED and ER_ALTER_OPERATION_NOT_SUPPORTED_REASON */
const NOT_SUPPORTED: readonly unknown[] = [1845, 1846]

/**
 * The units of a product that were ever sold may exceed an INT. MySQL and MariaDB before 11.2 copy the table and block its
 * writers for that time: docs/operations.md states how long, and how to change a large table in advance.
 */
export const salesBigint: Migration = {
  async up(db) {
    await widen(db, { table: 'products', column: 'sales_volume', definition: 'bigint not null default 0' })
    await widen(db, { table: 'product_sales', column: 'count', definition: 'bigint not null' })
  },
}

interface Column {
  table: string
  column: string
  definition: string
}

async function widen(db: Kysely<unknown>, { table, column, definition }: Column): Promise<void> {
  const { rows } = await sql<{ type: string }>`select data_type as type from information_schema.columns
    where table_schema = database() and table_name = ${table} and column_name = ${column}`.execute(db)
  if (rows[0]?.type.toLowerCase() === 'bigint') return
  const alter = sql`alter table ${sql.table(table)} modify ${sql.ref(column)} ${sql.raw(definition)}`
  try {
    await sql`${alter}, lock = none`.execute(db)
  } catch (error) {
    if (!NOT_SUPPORTED.includes(errorCode(error))) throw error
    await alter.execute(db)
  }
}
