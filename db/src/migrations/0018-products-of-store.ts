import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * An index of `products.store_id` for the foreign key. MySQL 9.7 checks a foreign key with the first index that begins with its
 * columns, and skips the check of a row in which any column of that index is NULL: `products_newest_of_store` contains `deleted_at`.
 * MySQL puts a unique index without nullable columns before other ones. Adding the index is online.
 */
export const productsOfStore: Migration = {
  async up(db) {
    const { rows } = await sql`select 1 from information_schema.statistics
      where table_schema = database() and table_name = 'products' and index_name = 'products_of_store'`.execute(db)
    if (rows.length > 0) return
    await sql`alter table products add unique index products_of_store (store_id, id)`.execute(db)
  },
}
