import { sql } from 'kysely'
import { createdAt, createTable, updatedAt } from './create-table.ts'

export const points = createTable('points', (table) =>
  table
    .addColumn('id', 'bigint', (column) => column.primaryKey().autoIncrement())
    .addColumn('user_id', 'bigint', (column) => column.notNull())
    .addColumn('point', 'integer', (column) => column.notNull())
    .$call(createdAt)
    .$call(updatedAt)
    .addUniqueConstraint('points_user', ['user_id'])
    .addForeignKeyConstraint('points_user_exists', ['user_id'], 'users', ['id'])
    .addCheckConstraint('points_range', sql`point between 0 and 1000000`),
)
