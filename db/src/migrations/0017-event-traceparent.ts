import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { hasColumn } from './has-column.ts'

/**
 * The W3C Trace Context of the request that caused an event. A server of the previous version inserts events without it.
 * MySQL and MariaDB add a last column that may be NULL in an instant, without copying the table.
 */
export const eventTraceparent: Migration = {
  async up(db) {
    if (await hasColumn(db, 'events', 'traceparent')) return
    await sql`alter table events
      add column traceparent varchar(55) character set ascii collate ascii_bin null`.execute(db)
  },
}
