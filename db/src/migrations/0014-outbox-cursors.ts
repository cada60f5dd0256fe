import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { createTable, updatedAt } from './create-table.ts'

const table = createTable('outbox_cursors', (table) =>
  table
    .addColumn('name', sql`varchar(64) character set ascii collate ascii_bin`, (column) => column.primaryKey())
    .addColumn('position', 'bigint', (column) => column.notNull())
    .addColumn('owner', sql`varchar(64) character set ascii collate ascii_bin`)
    .addColumn('lease_expires_at', 'datetime(3)')
    .addColumn('epoch', 'bigint', (column) => column.notNull().defaultTo(0))
    .$call(updatedAt),
)

/** The horizon begins before the oldest event, because older events may have been deleted before this table existed. */
export const outboxCursors: Migration = {
  async up(db) {
    await table.up(db)
    await sql`insert ignore into outbox_cursors (name, position)
      select 'horizon', coalesce(min(id) - 1, 0) from events`.execute(db)
  },
}
