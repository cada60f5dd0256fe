import { sql } from 'kysely'
import { createdAt, createTable, updatedAt } from './create-table.ts'

export const stock = createTable('stock', (table) =>
  table
    .addColumn('id', 'bigint', (column) => column.primaryKey().autoIncrement())
    .addColumn('product_id', 'bigint', (column) => column.notNull())
    .addColumn('stock', 'bigint', (column) => column.notNull())
    .$call(createdAt)
    .$call(updatedAt)
    .addUniqueConstraint('stock_product', ['product_id'])
    .addCheckConstraint('stock_range', sql`stock >= 0`),
)
