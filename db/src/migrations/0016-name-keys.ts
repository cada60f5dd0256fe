import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { fillNameKeys } from '../fill-name-keys.ts'
import { hasColumn } from './has-column.ts'

/**
 * Names are unique by their key, no longer by the collation of `name`, in which José is Jose. A server of the previous
 * version writes rows without a key and looks names up by `name`, hence NULL and the index. Every statement is online.
 */
export const nameKeys: Migration = {
  async up(db) {
    await addNameKey(db, { table: 'users', name: 'users_name', key: 'users_name_key' })
    await addNameKey(db, { table: 'stores', name: 'stores_name', key: 'stores_name_key' })
    await fillNameKeys(db)
  },
}

interface NamedTable {
  table: string
  /** The index of `name`. */
  name: string
  /** The index of `name_key`. */
  key: string
}

async function addNameKey(db: Kysely<unknown>, { table, name, key }: NamedTable): Promise<void> {
  const { rows } = await sql<{ name: string; isUnique: number }>`select index_name as name, 1 - non_unique as isUnique
    from information_schema.statistics where table_schema = database() and table_name = ${table}`.execute(db)
  const has = (index: string) => rows.some((row) => row.name === index)
  if (!(await hasColumn(db, table, 'name_key'))) {
    await sql`alter table ${sql.table(table)}
      add column name_key varchar(500) character set utf8mb4 collate utf8mb4_bin null`.execute(db)
  }
  if (!has(key)) await sql`alter table ${sql.table(table)} add unique index ${sql.ref(key)} (name_key)`.execute(db)
  if (rows.some((row) => row.name === name && Number(row.isUnique) === 1)) {
    await sql`alter table ${sql.table(table)} drop index ${sql.ref(name)}, add index ${sql.ref(name)} (name)`.execute(
      db,
    )
  }
}
