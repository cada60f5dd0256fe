import {
  type ConnectOptions,
  connect,
  createDatabase,
  migrate,
  type Pool,
  type Reader,
  type Tables,
  transact,
} from '@pointwise/db'
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

/** Two runs at once on one server need a name each. */
const { TEST_DATABASES = 'pointwise_test', VITEST_POOL_ID } = process.env

/** The address of a database of this worker's own. Databases of other names may be asked for by tests that fill theirs. */
export function databaseUrl(name = 'shop'): string {
  const url = new URL(inject('databaseServer'))
  url.pathname = `/${TEST_DATABASES}_${VITEST_POOL_ID}_${name}`
  return url.href
}

/** A migrated, empty database, with a pool on it, or on an address behind which it lies. */
export async function emptyDatabase(
  options: ConnectOptions = {},
  behind: (url: string) => string = (url) => url,
): Promise<{ url: string; db: Pool }> {
  const url = databaseUrl()
  await createDatabase(url)
  await migrate(url)
  const db = connect(behind(url), options)
  await emptyTables(db)
  return { url, db }
}

export async function emptyTables(db: Pool): Promise<void> {
  await transact(db, async (tx) => {
    for (const table of TABLES) await tx.deleteFrom(table).execute()
  })
}

/** Every row of every table: two of them are equal if nothing was written in between. */
export async function snapshot(db: Pool): Promise<Record<string, unknown[]>> {
  const rows = TABLES.map(async (table) => [table, await run(db, `select * from ${table} order by 1, 2`)])
  return Object.fromEntries(await Promise.all(rows))
}

/** The outbox, oldest first. */
export async function eventsOf(db: Pool, type?: string) {
  const rows = await db.selectFrom('events').select(['type', 'key', 'payload']).orderBy('id').execute()
  return rows
    .filter((row) => type === undefined || row.type === type)
    .map((row) => ({ ...row, payload: typeof row.payload === 'string' ? JSON.parse(row.payload) : row.payload }))
}

/** Holds the locks of a statement in a session of its own, until it is disposed. */
export async function holdLocks(url: string, statement: string): Promise<AsyncDisposable> {
  const db = connect(url, { connections: 1 })
  const transaction = await holdConnection(db, statement)
  return {
    async [Symbol.asyncDispose]() {
      await transaction[Symbol.asyncDispose]()
      await db.destroy()
    },
  }
}

/** Keeps a connection of a pool in a transaction, until it is disposed. */
export async function holdConnection(db: Pool, statement = 'select 1'): Promise<AsyncDisposable> {
  const held = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  const transaction = transact(db, async (tx) => {
    await run(tx, statement)
    held.resolve()
    await release.promise
  })
  await Promise.race([held.promise, transaction])
  return {
    async [Symbol.asyncDispose]() {
      release.resolve()
      await transaction
    },
  }
}

/** A database of that name in which nothing has ever been: its first ids are 1. */
export async function freshDatabase(name: string, options: ConnectOptions = {}): Promise<{ url: string; db: Pool }> {
  const url = databaseUrl(name)
  await createDatabase(url)
  const old = connect(url)
  await run(old, `drop database ${new URL(url).pathname.slice(1)}`)
  await old.destroy()
  await createDatabase(url)
  await migrate(url)
  return { url, db: connect(url, options) }
}

/** Runs SQL as a person with a database client would: for faults planted by hand, and for looking. */
export async function run<Row = unknown>(db: Reader, statement: string): Promise<Row[]> {
  const { rows } = await sql<Row>`${sql.raw(statement)}`.execute(db as unknown as Kysely<Tables>)
  return rows
}
