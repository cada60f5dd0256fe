import { createdAt, createTable, updatedAt } from './create-table.ts'

export const users = createTable('users', (table) =>
  table
    .addColumn('id', 'bigint', (column) => column.primaryKey().autoIncrement())
    .addColumn('name', 'varchar(150)', (column) => column.notNull())
    .addColumn('deleted_at', 'datetime(3)')
    .$call(createdAt)
    .$call(updatedAt)
    .addUniqueConstraint('users_name', ['name']),
)
