import { sql } from 'kysely'
import { createdAt, createTable } from './create-table.ts'

export const refunds = createTable('refunds', (table) =>
  table
    .addColumn('order_id', 'bigint', (column) => column.primaryKey())
    .addColumn('amount', 'integer', (column) => column.notNull())
    .$call(createdAt)
    .addForeignKeyConstraint('refunds_order_exists', ['order_id'], 'orders', ['id'])
    .addCheckConstraint('refunds_amount_range', sql`amount >= 0`),
)
