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

/** Children precede their parents. */
export const TABLES = [
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

/** Tables that assign ids. */
const TABLES_WITH_IDS = TABLES.filter((table) => !['product_sales', 'refunds', 'payments'].includes(table))

/** Two runs at the same time on one server need different names. */
const { TEST_DATABASES = 'pointwise_test', VITEST_POOL_ID } = process.env

/** The address of a database that belongs to this worker. A test that fills its database asks for another name. */
export function databaseUrl(name = 'shop'): string {
  const url = new URL(inject('databaseServer'))
  url.pathname = `/${TEST_DATABASES}_${VITEST_POOL_ID}_${name}`
  return url.href
}

const migrated = new Set<string>()

/** Creates and migrates a database of this worker, the first time it is used. */
async function migrateOnce(url: string): Promise<void> {
  if (migrated.has(url)) return
  await createDatabase(url)
  await migrate(url)
  migrated.add(url)
}

/** A migrated, empty database, with a pool on it. `addressOf` maps its URL to the one that the pool uses, such as a proxy's. */
export async function emptyDatabase(
  options: ConnectOptions = {},
  addressOf: (url: string) => string = (url) => url,
): Promise<{ url: string; db: Pool }> {
  const url = databaseUrl()
  await migrateOnce(url)
  const db = connect(addressOf(url), options)
  await emptyTables(db)
  return { url, db }
}

/** An empty database of that name whose next ids are 1. */
export async function freshDatabase(name: string, options: ConnectOptions = {}): Promise<{ url: string; db: Pool }> {
  const url = databaseUrl(name)
  await migrateOnce(url)
  const setup = connect(url, { statementTimeoutMs: 300_000 })
  await emptyTables(setup)
  for (const table of TABLES_WITH_IDS) await run(setup, `alter table ${table} auto_increment = 1`)
  await run(setup, `update outbox_cursors set position = 0`)
  await setup.destroy()
  return { url, db: connect(url, options) }
}

export async function emptyTables(db: Pool): Promise<void> {
  await transact(db, async (tx) => {
    const [newest] = await run<{ id: number | null }>(tx, 'select max(id) as id from events')
    await run(tx, `update outbox_cursors set position = greatest(position, ${newest?.id ?? 0}) where name = 'horizon'`)
    await run(tx, "delete from outbox_cursors where name <> 'horizon'")
    for (const table of TABLES) await tx.deleteFrom(table).execute()
  })
}

/** Every row of every table. Two snapshots are equal if nothing was written in between. */
export async function snapshot(db: Pool): Promise<Record<string, unknown[]>> {
  const rows = TABLES.map(async (table) => [table, await run(db, `select * from ${table} order by 1, 2`)])
  return Object.fromEntries(await Promise.all(rows))
}

/** The events in the outbox, oldest first. */
export async function eventsOf(db: Pool, type?: string) {
  const rows = await db.selectFrom('events').select(['type', 'key', 'payload']).orderBy('id').execute()
  return rows
    .filter((row) => type === undefined || row.type === type)
    .map((row) => ({ ...row, payload: typeof row.payload === 'string' ? JSON.parse(row.payload) : row.payload }))
}

/** Holds the locks of a statement in a separate session, until disposed. */
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

/** Occupies a connection of a pool with an open transaction, until disposed. */
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

/** Runs a statement as written, as with a database client. */
export async function run<Row = unknown>(db: Reader, statement: string): Promise<Row[]> {
  const { rows } = await sql<Row>`${sql.raw(statement)}`.execute(db as unknown as Kysely<Tables>)
  return rows
}
