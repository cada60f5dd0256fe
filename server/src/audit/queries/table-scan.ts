import type { Reader, Tables } from '@pointwise/db'
import { type RawBuilder, sql } from 'kysely'

/** The rows of a table whose key is above `after` and not above `upTo`. */
export interface Chunk {
  after: number
  upTo: number
}

/** Every table that has something to check. */
export type Table = Exclude<keyof Tables, 'stores' | 'kysely_migration'>

/** By what a table is cut into chunks: the first column of its primary key. */
export const KEYS = {
  users: 'id',
  points: 'id',
  point_histories: 'id',
  products: 'id',
  stock: 'id',
  stock_changes: 'id',
  orders: 'id',
  order_products: 'id',
  payments: 'order_id',
  refunds: 'order_id',
  product_sales: 'product_id',
  events: 'id',
} as const satisfies Record<Table, string>

/** What of a table's rows goes into the total of all points. */
const POINTS: Partial<Record<Table, RawBuilder<number>>> = {
  points: sql`point`,
  point_histories: sql`if(use_type = 'CHARGE', point, 0)`,
  payments: sql`amount`,
  refunds: sql`amount`,
}

/** Rows of a statement whose tables are named by data. */
export function selectFound<Row>(db: Reader, statement: RawBuilder<unknown>) {
  return db.selectFrom(sql<Row>`(${statement})`.as('found')).selectAll()
}

export function within(key: string, { after, upTo }: Chunk): RawBuilder<boolean> {
  return sql`${sql.ref(key)} > ${after} and ${sql.ref(key)} <= ${upTo}`
}

/** The moment of the snapshot, in the statement that makes it: that takes a read of a table. */
export function selectMoment(db: Reader) {
  return db.selectFrom('kysely_migration').select(sql<Date>`max(current_timestamp(3))`.as('asOf'))
}

/** Where the next `size` rows end, how many they are, and what they hold of points. */
export function selectChunk(db: Reader, table: Table, { after, size }: { after: number; size: number }) {
  const key = sql.ref(KEYS[table])
  return selectFound<{ upTo: number | null; rows: number; points: string }>(
    db,
    sql`select max(${key}) as upTo, count(*) as \`rows\`, coalesce(sum(points), 0) as points from (
      select ${key}, ${POINTS[table] ?? sql`0`} as points from ${sql.table(table)}
      where ${key} > ${after} order by ${key} limit ${size}) as chunk`,
  )
}

/** The rows of a key that is not unique are in one chunk, all of them. */
export function countRows(db: Reader, table: Table, chunk: Chunk) {
  return selectFound<{ rows: number }>(
    db,
    sql`select count(*) as \`rows\` from ${sql.table(table)} where ${within(KEYS[table], chunk)}`,
  )
}
