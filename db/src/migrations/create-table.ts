import { type CreateTableBuilder, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { COLLATION } from '../connection.ts'

type Table = CreateTableBuilder<string, string>

/** One DDL statement, which MySQL commits by itself: a run that was cut off after it can simply be repeated. */
export function createTable(name: string, define: (table: CreateTableBuilder<string, never>) => Table): Migration {
  return {
    async up(db) {
      await define(db.schema.createTable(name).ifNotExists())
        .modifyEnd(sql`engine = InnoDB default charset = utf8mb4 collate = ${sql.raw(COLLATION)}`)
        .execute()
    },
  }
}

export const createdAt = (table: Table): Table =>
  table.addColumn('created_at', 'datetime(3)', (column) => column.notNull().defaultTo(sql`current_timestamp(3)`))

export const updatedAt = (table: Table): Table =>
  table.addColumn('updated_at', 'datetime(3)', (column) =>
    column.notNull().defaultTo(sql`current_timestamp(3) on update current_timestamp(3)`),
  )

/** A UUID, compared without regard to case. */
export const KEY = sql`char(36) character set ascii collate ascii_general_ci`

export const idempotencyKey = (table: Table): Table =>
  table.addColumn('idempotency_key', KEY, (column) => column.notNull())
