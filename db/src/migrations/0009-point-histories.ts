import { sql } from 'kysely'
import { createdAt, createTable, KEY } from './create-table.ts'

export const pointHistories = createTable('point_histories', (table) =>
  table
    .addColumn('id', 'bigint', (column) => column.primaryKey().autoIncrement())
    .addColumn('point_id', 'bigint', (column) => column.notNull())
    .addColumn('point', 'integer', (column) => column.notNull())
    .addColumn('balance', 'integer', (column) => column.notNull())
    .addColumn('use_type', 'varchar(6)', (column) => column.notNull())
    .addColumn('order_id', 'bigint')
    .addColumn('idempotency_key', KEY)
    .$call(createdAt)
    .addUniqueConstraint('point_histories_key', ['point_id', 'idempotency_key'])
    .addIndex('point_histories_newest', ['point_id', 'id'])
    .addForeignKeyConstraint('point_histories_point_exists', ['point_id'], 'points', ['id'])
    .addForeignKeyConstraint('point_histories_order_exists', ['order_id'], 'orders', ['id'])
    .addCheckConstraint('point_histories_balance_range', sql`balance between 0 and 1000000`)
    .addCheckConstraint('point_histories_use_type', sql`use_type in ('CHARGE', 'USE', 'REFUND')`),
)
