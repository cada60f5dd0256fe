import type { Reader } from '@pointwise/db'
import { type RawBuilder, sql } from 'kysely'
import { IDS_PER_BLOCK } from '../id-bitmap.ts'
import { type Chunk, within } from './chunk-queries.ts'

/** The types of events of which every row that they describe has exactly one. */
export const REQUIRED_EVENT_TYPES = [
  'points.charged',
  'order.placed',
  'order.paid',
  'order.refunded',
  'order.cancelled',
  'product.created',
  'product.removed',
] as const

export type RequiredEventType = (typeof REQUIRED_EVENT_TYPES)[number]

/** The characters of a payload that are read. The longest payload that is written, with 50 items, has about 4,000. */
const PAYLOAD_LENGTH_MAX = 20_000

/** Events with their payloads as text, which is cut off after `PAYLOAD_LENGTH_MAX` characters and one more. */
export function selectEvents(db: Reader, chunk: Chunk) {
  return db
    .selectFrom('events')
    .select(['id', 'type', 'key', 'created_at as at'])
    .select(sql<string>`left(cast(payload as char), ${sql.lit(PAYLOAD_LENGTH_MAX + 1)})`.as('payload'))
    .where(within('id', chunk))
    .orderBy('id')
}

/** The events of a chunk that change the stock of a product without a sale. */
export function selectStockEvents(db: Reader, chunk: Chunk) {
  return selectEvents(db, chunk).where('type', 'in', ['product.created', 'product.restocked'])
}

/** The time of the first event above an id. */
export function selectFirstEventTime(db: Reader, after: number) {
  return db.selectFrom('events').select('created_at as at').where('id', '>', after).orderBy('id').limit(1)
}

/** The tables whose rows must have events. */
export const TABLES_WITH_EVENTS = ['products', 'point_histories', 'orders'] as const

/** The earliest time at which a row of a chunk was created; null if there is no row. */
export function selectFirstTime(db: Reader, table: (typeof TABLES_WITH_EVENTS)[number], chunk: Chunk) {
  return db.selectFrom(table).select(sql<Date | null>`min(created_at)`.as('at')).where(within('id', chunk))
}

/** The number of rows of a chunk that were created at a time and have an event of their creation. */
export function selectRowsAt(db: Reader, table: (typeof TABLES_WITH_EVENTS)[number], chunk: Chunk, time: Date) {
  const isCharge = table === 'point_histories' ? sql`use_type = 'CHARGE'` : sql`true`
  const count = sql<number>`coalesce(sum(created_at = ${time} and ${isCharge}), 0)`
  return db.selectFrom(table).select(count.as('count')).where(within('id', chunk))
}

/** The number of events of a chunk that state, at a time, the creation of a row. */
export function selectCreationEventsAt(db: Reader, chunk: Chunk, time: Date) {
  return db
    .selectFrom('events')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('type', 'in', ['product.created', 'points.charged', 'order.placed'])
    .where('created_at', '=', time)
    .where(within('id', chunk))
}

const blockOf = (id: RawBuilder<unknown>) => sql<number>`${id} div ${sql.lit(IDS_PER_BLOCK)}`
const bitsOf = (id: RawBuilder<unknown>, where: RawBuilder<unknown>) =>
  sql<number>`bit_or(if(${where}, 1 << (${id} % ${sql.lit(IDS_PER_BLOCK)}), 0))`

/** For each type of event, the rows of a block that must have an event of that type, as bits. */
export type RequiredEvents = { block: number } & Partial<Record<RequiredEventType, number>>

/*
 * The rows of a chunk that must have an event, as the bits of their ids. `since` excludes rows whose events were deleted on
 * purpose.
 */

const ID = sql.ref('id')
const isSince = (column: string, since: Date, condition: RawBuilder<unknown> = sql`true`) =>
  sql`${condition} and ${sql.ref(column)} >= ${since}`

export function selectRequiredChargeEvents(db: Reader, histories: Chunk, since: Date) {
  return db
    .selectFrom('point_histories')
    .select([
      blockOf(ID).as('block'),
      bitsOf(ID, isSince('created_at', since, sql`use_type = 'CHARGE'`)).as('points.charged'),
    ])
    .where(within('id', histories))
    .groupBy(blockOf(ID))
}

export function selectRequiredOrderEvents(db: Reader, orders: Chunk, since: Date) {
  return db
    .selectFrom('orders')
    .select([
      blockOf(ID).as('block'),
      bitsOf(ID, isSince('created_at', since)).as('order.placed'),
      bitsOf(ID, isSince('paid_at', since, sql`status in ('paid', 'refunded')`)).as('order.paid'),
      bitsOf(ID, isSince('updated_at', since, sql`status = 'refunded'`)).as('order.refunded'),
      bitsOf(ID, isSince('updated_at', since, sql`status = 'cancelled'`)).as('order.cancelled'),
    ])
    .where(within('id', orders))
    .groupBy(blockOf(ID))
}

export function selectRequiredProductEvents(db: Reader, products: Chunk, since: Date) {
  return db
    .selectFrom('products')
    .select([
      blockOf(ID).as('block'),
      bitsOf(ID, isSince('created_at', since)).as('product.created'),
      bitsOf(ID, isSince('deleted_at', since, sql`deleted_at is not null`)).as('product.removed'),
    ])
    .where(within('id', products))
    .groupBy(blockOf(ID))
}
