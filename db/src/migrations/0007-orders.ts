import { sql } from 'kysely'
import { createdAt, createTable, idempotencyKey, updatedAt } from './create-table.ts'

export const orders = createTable('orders', (table) =>
  table
    .addColumn('id', 'bigint', (column) => column.primaryKey().autoIncrement())
    .addColumn('user_id', 'bigint', (column) => column.notNull())
    .addColumn('status', 'varchar(9)', (column) => column.notNull())
    .addColumn('total_price', 'integer', (column) => column.notNull())
    .$call(idempotencyKey)
    .addColumn('paid_at', 'datetime(3)')
    .$call(createdAt)
    .$call(updatedAt)
    .addUniqueConstraint('orders_key', ['user_id', 'idempotency_key'])
    .addIndex('orders_of_user', ['user_id', 'id'])
    .addIndex('orders_of_user_by_status', ['user_id', 'status', 'id'])
    .addForeignKeyConstraint('orders_user_exists', ['user_id'], 'users', ['id'])
    .addCheckConstraint('orders_status', sql`status in ('pending', 'paid', 'cancelled', 'refunded')`)
    .addCheckConstraint('orders_total_price_range', sql`total_price >= 0`),
)
