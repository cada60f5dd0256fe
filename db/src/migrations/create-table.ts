import { type CreateTableBuilder, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { COLLATION } from '../session.ts'

type Table = CreateTableBuilder<string, string>

/**
 * A migration of one `create table if not exists`. MySQL commits DDL immediately, so a process that stops between the
 * statement and its record repeats the migration without an error.
 */
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

/** Column type of a UUID. Comparison ignores case. */
export const KEY = sql`char(36) character set ascii collate ascii_general_ci`

export const idempotencyKey = (table: Table): Table =>
  table.addColumn('idempotency_key', KEY, (column) => column.notNull())
