import { sql } from 'kysely'
import { createdAt, createTable, updatedAt } from './create-table.ts'

export const products = createTable('products', (table) =>
  table
    .addColumn('id', 'bigint', (column) => column.primaryKey().autoIncrement())
    .addColumn('store_id', 'bigint', (column) => column.notNull())
    .addColumn('name', 'varchar(200)', (column) => column.notNull())
    .addColumn('price', 'integer', (column) => column.notNull())
    .addColumn('sales_volume', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('deleted_at', 'datetime(3)')
    .$call(createdAt)
    .$call(updatedAt)
    .addIndex('products_newest', ['deleted_at', 'id'])
    .addIndex('products_newest_of_store', ['store_id', 'deleted_at', 'id'])
    .addIndex('products_top_selling', ['deleted_at', sql`sales_volume desc`, 'id'])
    .addForeignKeyConstraint('products_store_exists', ['store_id'], 'stores', ['id'])
    .addCheckConstraint('products_price_range', sql`price >= 0`)
    .addCheckConstraint('products_sales_volume_range', sql`sales_volume >= 0`),
)
