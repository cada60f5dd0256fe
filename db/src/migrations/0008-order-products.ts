import { sql } from 'kysely'
import { createdAt, createTable } from './create-table.ts'

export const orderProducts = createTable('order_products', (table) =>
  table
    .addColumn('id', 'bigint', (column) => column.primaryKey().autoIncrement())
    .addColumn('order_id', 'bigint', (column) => column.notNull())
    .addColumn('product_id', 'bigint', (column) => column.notNull())
    .addColumn('product_name', 'varchar(200)', (column) => column.notNull())
    .addColumn('price', 'integer', (column) => column.notNull())
    .addColumn('count', 'integer', (column) => column.notNull())
    .$call(createdAt)
    .addUniqueConstraint('order_products_line', ['order_id', 'product_id'])
    .addForeignKeyConstraint('order_products_order_exists', ['order_id'], 'orders', ['id'])
    .addCheckConstraint('order_products_range', sql`price >= 0 and \`count\` >= 1`),
)
