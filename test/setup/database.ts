import { type ConnectOptions, connect, createDatabase, type Db, migrate, type Tables, transact } from '@pointwise/db'
import { type Kysely, sql } from 'kysely'
import { inject } from 'vitest'

/** Children before their parents. */
const TABLES = [
  'events',
  'product_sales',
  'refunds',
  'payments',
  'point_histories',
  'order_products',
  'orders',
  'stock_changes',
  'stock',
  'products',
  'stores',
  'points',
  'users',
] as const satisfies (keyof Tables)[]

/** The address of a database of this worker's own. Databases of other names may be asked for by tests that fill theirs. */
export function databaseUrl(name = 'shop'): string {
  const url = new URL(inject('databaseServer'))
  url.pathname = `/pointwise_test_${process.env.VITEST_POOL_ID}_${name}`
  return url.href
}

/** A migrated, empty database, with a pool on it. */
export async function emptyDatabase(options: ConnectOptions = {}): Promise<{ url: string; db: Db }> {
  const url = databaseUrl()
  await createDatabase(url)
  await migrate(url)
  const db = connect(url, options)
  await transact(db, async (tx) => {
    for (const table of TABLES) await tx.deleteFrom(table).execute()
  })
  return { url, db }
}

/** Runs SQL as a person with a database client would: for faults planted by hand, and for looking. */
export async function run<Row = unknown>(db: Db, statement: string): Promise<Row[]> {
  const { rows } = await sql<Row>`${sql.raw(statement)}`.execute(db as Kysely<Tables>)
  return rows
}
