import { sql } from 'kysely'
import { createdAt, createTable } from './create-table.ts'

export const payments = createTable('payments', (table) =>
  table
    .addColumn('order_id', 'bigint', (column) => column.primaryKey())
    .addColumn('user_id', 'bigint', (column) => column.notNull())
    .addColumn('amount', 'integer', (column) => column.notNull())
    .$call(createdAt)
    .addForeignKeyConstraint('payments_order_exists', ['order_id'], 'orders', ['id'])
    .addForeignKeyConstraint('payments_user_exists', ['user_id'], 'users', ['id'])
    .addCheckConstraint('payments_amount_range', sql`amount >= 0`),
)
