import { createdAt, createTable } from './create-table.ts'

export const events = createTable('events', (table) =>
  table
    .addColumn('id', 'bigint', (column) => column.primaryKey().autoIncrement())
    .addColumn('type', 'varchar(32)', (column) => column.notNull())
    .addColumn('key', 'varchar(64)', (column) => column.notNull())
    .addColumn('payload', 'json', (column) => column.notNull())
    .$call(createdAt)
    .addColumn('published_at', 'datetime(3)'),
)
