import { createdAt, createTable, updatedAt } from './create-table.ts'

export const stores = createTable('stores', (table) =>
  table
    .addColumn('id', 'bigint', (column) => column.primaryKey().autoIncrement())
    .addColumn('name', 'varchar(50)', (column) => column.notNull())
    .addColumn('deleted_at', 'datetime(3)')
    .$call(createdAt)
    .$call(updatedAt)
    .addUniqueConstraint('stores_name', ['name']),
)
