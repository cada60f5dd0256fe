import type { Reader } from '@pointwise/db'
import { type RawBuilder, sql } from 'kysely'
import { type Chunk, within } from './table-scan.ts'

/** The events of which each row that they tell of has exactly one. */
export const ONCE = ['points.charged', 'order.placed', 'order.paid', 'order.refunded', 'order.cancelled'] as const

export type Once = (typeof ONCE)[number]

/** How many ids share the bits of one number. */
export const BLOCK = 32

const told = (name: string): RawBuilder<number | null> =>
  sql`cast(json_value(payload, ${sql.lit(`$.${name}`)}) as signed)`

const block = (id: RawBuilder<unknown>) => sql<number>`${id} div ${sql.lit(BLOCK)}`
const bits = (id: RawBuilder<unknown>, where: RawBuilder<unknown> = sql`true`) =>
  sql<number>`bit_or(if(${where}, 1 << (${id} % ${sql.lit(BLOCK)}), 0))`

/** The row that an event of ONCE tells of. */
function selectAbout(db: Reader, chunk: Chunk) {
  return db
    .selectFrom('events')
    .select(['type', sql<number>`coalesce(${told('historyId')}, ${told('orderId')})`.as('about')])
    .where(within('id', chunk))
    .where('type', 'in', ONCE)
}

/** Which rows the events of a chunk tell of, a bit each, and how often. */
export function selectTold(db: Reader, chunk: Chunk) {
  const about = sql.ref('about')
  return db
    .selectFrom(selectAbout(db, chunk).as('told'))
    .select((eb) => ['type', block(about).as('block'), bits(about).as('bits'), eb.fn.countAll<number>().as('times')])
    .where('about', 'is not', null)
    .groupBy(['type', block(about)])
    .$castTo<{ type: Once; block: number; bits: number; times: number }>()
}

export function selectToldTwice(db: Reader, chunk: Chunk) {
  return db
    .selectFrom(selectAbout(db, chunk).as('told'))
    .select((eb) => ['type', 'about', eb.fn.countAll<number>().as('times')])
    .where('about', 'is not', null)
    .groupBy(['type', 'about'])
    .having((eb) => eb.fn.countAll(), '>', 1)
    .$castTo<{ type: Once; about: number; times: number }>()
}

/** Which rows of a chunk are charges, a bit each. */
export function selectCharges(db: Reader, histories: Chunk) {
  const id = sql.ref('id')
  return db
    .selectFrom('point_histories')
    .select([block(id).as('block'), bits(id, sql`use_type = 'CHARGE'`).as('points.charged')])
    .where(within('id', histories))
    .groupBy(block(id))
}

/** What happened to the orders of a chunk, a bit each. */
export function selectHappened(db: Reader, orders: Chunk) {
  const id = sql.ref('id')
  return db
    .selectFrom('orders')
    .select([
      block(id).as('block'),
      bits(id).as('order.placed'),
      bits(id, sql`status in ('paid', 'refunded')`).as('order.paid'),
      bits(id, sql`status = 'refunded'`).as('order.refunded'),
      bits(id, sql`status = 'cancelled'`).as('order.cancelled'),
    ])
    .where(within('id', orders))
    .groupBy(block(id))
}

/** Events that say something else than the rows they are about. */
export function selectUntrue(db: Reader, chunk: Chunk) {
  const event = db
    .selectFrom('events')
    .select(['id', 'type', 'key', 'payload'])
    .select([told('userId').as('user'), told('historyId').as('history'), told('orderId').as('order')])
    .select([told('productId').as('product'), told('balance').as('balance')])
    .select(sql<number>`coalesce(${told('amount')}, ${told('totalPrice')}, ${told('change')})`.as('amount'))
    .where(within('id', chunk))
  const balanceOf = (type: string) =>
    sql`coalesce((select max(moved.balance = event.balance) from point_histories moved
      where moved.order_id = orders.id and moved.use_type = ${sql.lit(type)}), true)`
  const item = sql`json_object('productId', line.product_id, 'quantity', line.count)`
  const tellsItsLines = sql`(select count(*) = json_length(event.payload, '$.items')
      and sum(json_contains(event.payload, ${item}, '$.items')) = count(*)
      from order_products line where line.order_id = orders.id)`
  const isTrue = sql<boolean>`coalesce(
    event.key = if(event.user is null, concat('product:', event.product), concat('user:', event.user))
    and case event.type
      when 'points.charged' then charge.use_type = 'CHARGE' and charge.point = event.amount
        and charge.balance = event.balance and wallet.user_id = event.user
      when 'order.placed' then orders.user_id = event.user and orders.total_price = event.amount
      when 'order.paid' then orders.user_id = event.user and orders.total_price = event.amount
        and orders.status in ('paid', 'refunded') and ${balanceOf('USE')} and ${tellsItsLines}
      when 'order.refunded' then orders.user_id = event.user and orders.total_price = event.amount
        and orders.status = 'refunded' and ${balanceOf('REFUND')} and ${tellsItsLines}
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
    .select(['charge.use_type as useType', 'charge.point', 'charge.balance', 'wallet.user_id as walletOf'])
    .select(['orders.status', 'orders.total_price as total', 'orders.user_id as userId'])
    .select(['products.id as productId', 'products.deleted_at as removedAt'])
    .select(
      sql<
        string | null
      >`(select group_concat(line.count, ' × product ', line.product_id order by line.product_id separator ', ')
        from order_products line where line.order_id = orders.id)`.as('lines'),
    )
    .where(sql<boolean>`not ${isTrue}`)
}
