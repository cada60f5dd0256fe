import { sql } from 'kysely'
import { createdAt, createTable, idempotencyKey } from './create-table.ts'

export const stockChanges = createTable('stock_changes', (table) =>
  table
    .addColumn('id', 'bigint', (column) => column.primaryKey().autoIncrement())
    .addColumn('product_id', 'bigint', (column) => column.notNull())
    .addColumn('change', 'bigint', (column) => column.notNull())
    .addColumn('reason', 'varchar(9)', (column) => column.notNull())
    .$call(idempotencyKey)
    .$call(createdAt)
    .addUniqueConstraint('stock_changes_key', ['product_id', 'idempotency_key'])
    .addCheckConstraint('stock_changes_reason', sql`reason in ('STOCKED', 'RESTOCKED', 'CORRECTED')`),
)
