import type { Reader, Tables } from '@pointwise/db'
import { type RawBuilder, sql } from 'kysely'

/** The rows of a table whose key is greater than `after` and at most `through`. */
export interface Chunk {
  after: number
  through: number
}

/** Whether the row with this key is in the chunk. */
export const isIn = ({ after, through }: Chunk, key: number): boolean => key > after && key <= through

/** A table that the audit checks. */
export type Table = Exclude<keyof Tables, 'stores' | 'outbox_cursors' | 'kysely_migration'>

/** The column by which each table is split into chunks: the first column of its primary key. */
export const CHUNK_KEYS = {
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

/** The points of a row that count towards the total of its table. */
const POINTS: Partial<Record<Table, RawBuilder<number>>> = {
  points: sql`point`,
  point_histories: sql`if(use_type = 'CHARGE', point, 0)`,
  payments: sql`amount`,
  refunds: sql`amount`,
}

/** Selects from a raw statement, which Kysely cannot type because a variable names its table. */
export function selectFromRaw<Row>(db: Reader, statement: RawBuilder<unknown>) {
  return db.selectFrom(sql<Row>`(${statement})`.as('raw_statement')).selectAll()
}

export function within(key: string, { after, through }: Chunk): RawBuilder<boolean> {
  return sql`${sql.ref(key)} > ${after} and ${sql.ref(key)} <= ${through}`
}

/** The parts of the chunks that are in a range. */
export function intersect(range: Chunk, chunks: Chunk[]): Chunk[] {
  return chunks
    .map(({ after, through }) => ({ after: Math.max(after, range.after), through: Math.min(through, range.through) }))
    .filter(({ after, through }) => after < through)
}

/** The time of the snapshot. It reads a table, because a snapshot starts with the first read of a table. */
export function selectSnapshotTime(db: Reader) {
  return db.selectFrom('kysely_migration').select(sql<Date>`max(current_timestamp(3))`.as('asOf'))
}

/** The last key of the next `size` rows, the number of those rows, and the sum of their points. */
export function selectNextChunk(db: Reader, table: Table, { after, size }: { after: number; size: number }) {
  const key = sql.ref(CHUNK_KEYS[table])
  return selectFromRaw<{ through: number | null; rows: number; points: string }>(
    db,
    sql`select max(${key}) as through, count(*) as \`rows\`, coalesce(sum(points), 0) as points from (
      select ${key}, ${POINTS[table] ?? sql`0`} as points from ${sql.table(table)}
      where ${key} > ${after} order by ${key} limit ${size}) as chunk`,
  )
}

/** The number of rows in a chunk. It differs from that of `selectNextChunk` where several rows share a key. */
export function countRows(db: Reader, table: Table, chunk: Chunk) {
  return selectFromRaw<{ rows: number }>(
    db,
    sql`select count(*) as \`rows\` from ${sql.table(table)} where ${within(CHUNK_KEYS[table], chunk)}`,
  )
}
