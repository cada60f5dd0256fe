import { createTable } from './create-table.ts'

export const productSales = createTable('product_sales', (table) =>
  table
    .addColumn('product_id', 'bigint', (column) => column.notNull())
    .addColumn('hour', 'datetime', (column) => column.notNull())
    .addColumn('count', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('product_sales_hour_of_product', ['product_id', 'hour'])
    .addIndex('product_sales_of_hour', ['hour', 'product_id', 'count']),
)
