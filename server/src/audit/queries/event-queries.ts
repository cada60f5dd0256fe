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
] as const

export type RequiredEventType = (typeof REQUIRED_EVENT_TYPES)[number]

const payloadNumber = (name: string): RawBuilder<number | null> =>
  sql`cast(json_value(payload, ${sql.lit(`$.${name}`)}) as signed)`

const blockOf = (id: RawBuilder<unknown>) => sql<number>`${id} div ${sql.lit(IDS_PER_BLOCK)}`
const bitsOf = (id: RawBuilder<unknown>, where: RawBuilder<unknown> = sql`true`) =>
  sql<number>`bit_or(if(${where}, 1 << (${id} % ${sql.lit(IDS_PER_BLOCK)}), 0))`

/** The id of the history row or order that each event of a required type describes. */
function selectSubjects(db: Reader, events: Chunk) {
  return db
    .selectFrom('events')
    .select(['type', sql<number>`coalesce(${payloadNumber('historyId')}, ${payloadNumber('orderId')})`.as('subject')])
    .where(within('id', events))
    .where('type', 'in', REQUIRED_EVENT_TYPES)
}

/** The rows that the events of a chunk describe, as the bits of their ids, and the number of events in each block. */
export function selectEventSubjects(db: Reader, events: Chunk) {
  const id = sql.ref('subject')
  return db
    .selectFrom(selectSubjects(db, events).as('subjects'))
    .select((eb) => ['type', blockOf(id).as('block'), bitsOf(id).as('bits'), eb.fn.countAll<number>().as('count')])
    .where('subject', 'is not', null)
    .groupBy(['type', blockOf(id)])
    .$castTo<{ type: RequiredEventType; block: number; bits: number; count: number }>()
}

/** The rows that several events of a chunk describe, by type. */
export function selectRepeatedSubjects(db: Reader, events: Chunk) {
  return db
    .selectFrom(selectSubjects(db, events).as('subjects'))
    .select((eb) => ['type', 'subject', eb.fn.countAll<number>().as('count')])
    .where('subject', 'is not', null)
    .groupBy(['type', 'subject'])
    .having((eb) => eb.fn.countAll(), '>', 1)
    .$castTo<{ type: RequiredEventType; subject: number; count: number }>()
}

/** The charges in a chunk of history rows, as the bits of their ids. */
export function selectRequiredChargeEvents(db: Reader, histories: Chunk) {
  const id = sql.ref('id')
  return db
    .selectFrom('point_histories')
    .select([blockOf(id).as('block'), bitsOf(id, sql`use_type = 'CHARGE'`).as('points.charged')])
    .where(within('id', histories))
    .groupBy(blockOf(id))
}

/** For each type of order event, the orders of a chunk that must have one, as the bits of their ids. */
export function selectRequiredOrderEvents(db: Reader, orders: Chunk) {
  const id = sql.ref('id')
  return db
    .selectFrom('orders')
    .select([
      blockOf(id).as('block'),
      bitsOf(id).as('order.placed'),
      bitsOf(id, sql`status in ('paid', 'refunded')`).as('order.paid'),
      bitsOf(id, sql`status = 'refunded'`).as('order.refunded'),
      bitsOf(id, sql`status = 'cancelled'`).as('order.cancelled'),
    ])
    .where(within('id', orders))
    .groupBy(blockOf(id))
}

/** Events that do not match the rows that they describe. */
export function selectWrongEvents(db: Reader, chunk: Chunk) {
  const event = db
    .selectFrom('events')
    .select(['id', 'type', 'key', 'payload'])
    .select([
      payloadNumber('userId').as('user'),
      payloadNumber('historyId').as('history'),
      payloadNumber('orderId').as('order'),
    ])
    .select([payloadNumber('productId').as('product'), payloadNumber('balance').as('balance')])
    .select(
      sql<number>`coalesce(${payloadNumber('amount')}, ${payloadNumber('totalPrice')}, ${payloadNumber('change')})`.as(
        'amount',
      ),
    )
    .where(within('id', chunk))
  const hasBalanceOf = (type: string) =>
    sql`coalesce((select max(history.balance = event.balance) from point_histories history
      where history.order_id = orders.id and history.use_type = ${sql.lit(type)}), true)`
  const item = sql`json_object('productId', line.product_id, 'quantity', line.count)`
  const hasLines = sql`(select count(*) = json_length(event.payload, '$.items')
      and sum(json_contains(event.payload, ${item}, '$.items')) = count(*)
      from order_products line where line.order_id = orders.id)`
  const isCorrect = sql<boolean>`coalesce(
    event.key = if(event.user is null, concat('product:', event.product), concat('user:', event.user))
    and case event.type
      when 'points.charged' then charge.use_type = 'CHARGE' and charge.point = event.amount
        and charge.balance = event.balance and wallet.user_id = event.user
      when 'order.placed' then orders.user_id = event.user and orders.total_price = event.amount
      when 'order.paid' then orders.user_id = event.user and orders.total_price = event.amount
        and orders.status in ('paid', 'refunded') and ${hasBalanceOf('USE')} and ${hasLines}
      when 'order.refunded' then orders.user_id = event.user and orders.total_price = event.amount
        and orders.status = 'refunded' and ${hasBalanceOf('REFUND')} and ${hasLines}
      when 'order.cancelled' then orders.user_id = event.user and orders.status = 'cancelled'
      when 'product.created' then products.id is not null
      when 'product.changed' then products.id is not null
      when 'product.removed' then products.deleted_at is not null
      when 'product.restocked' then exists (select 1 from stock_changes
        where product_id = event.product and stock_changes.change = event.amount and reason <> 'STOCKED')
    end, false)`
  return db
    .selectFrom(event.as('event'))
    .leftJoin('point_histories as charge', 'charge.id', 'event.history')
    .leftJoin('points as wallet', 'wallet.id', 'charge.point_id')
    .leftJoin('orders', 'orders.id', 'event.order')
    .leftJoin('products', 'products.id', 'event.product')
    .select(['event.id', 'event.type', 'event.key', 'event.payload'])
    .select(['charge.use_type as useType', 'charge.point', 'charge.balance', 'wallet.user_id as walletUserId'])
    .select(['orders.status', 'orders.total_price as total', 'orders.user_id as userId'])
    .select(['products.id as productId', 'products.deleted_at as deletedAt'])
    .select(
      sql<
        string | null
      >`(select group_concat(line.count, ' × product ', line.product_id order by line.product_id separator ', ')
        from order_products line where line.order_id = orders.id)`.as('lines'),
    )
    .where(sql<boolean>`not ${isCorrect}`)
}
