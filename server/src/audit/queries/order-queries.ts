import { forceIndex, type Reader } from '@pointwise/db'
import { sql } from 'kysely'
import { type Chunk, within } from './chunk-queries.ts'

const isPaid = sql<boolean>`orders.status in ('paid', 'refunded')`
const isRefunded = sql<boolean>`orders.status = 'refunded'`

export function selectOrdersWithWrongTotal(db: Reader, chunk: Chunk) {
  const total = sql<string | null>`sum(order_products.price * order_products.count)`
  return db
    .selectFrom('orders')
    .leftJoin(forceIndex('order_products', 'order_products_line'), 'order_products.order_id', 'orders.id')
    .select(['orders.id', 'total_price as found', total.as('expected')])
    .where(within('orders.id', chunk))
    .groupBy(['orders.id', 'total_price'])
    .having(sql<boolean>`not coalesce(total_price = ${total}, false)`)
}

/** Orders whose payment or refund does not match their status, owner and total. */
export function selectOrdersWithWrongPayment(db: Reader, chunk: Chunk) {
  const hasCorrectPayment = sql<boolean>`coalesce(if(${isPaid},
    payments.amount = total_price and payments.user_id = orders.user_id
      and coalesce(payments.created_at = paid_at, paid_at is null),
    payments.order_id is null), false)`
  const hasCorrectRefund = sql<boolean>`coalesce(if(${isRefunded}, refunds.amount = total_price, refunds.order_id is null), false)`
  return db
    .selectFrom('orders')
    .leftJoin(forceIndex('payments', 'PRIMARY'), 'payments.order_id', 'orders.id')
    .leftJoin(forceIndex('refunds', 'PRIMARY'), 'refunds.order_id', 'orders.id')
    .select([
      'orders.id',
      'orders.status',
      'total_price as total',
      'orders.user_id as userId',
      'paid_at as paidAt',
      'payments.amount as paid',
      'payments.user_id as payer',
      'payments.created_at as paymentAt',
      'refunds.amount as refunded',
      sql<number>`${hasCorrectPayment}`.as('hasCorrectPayment'),
      sql<number>`${hasCorrectRefund}`.as('hasCorrectRefund'),
    ])
    .where(within('orders.id', chunk))
    .where(sql<boolean>`not (${hasCorrectPayment} and ${hasCorrectRefund})`)
}

/** Orders whose USE and REFUND rows do not match their status, owner's wallet and total. */
export function selectOrdersWithWrongHistory(db: Reader, chunk: Chunk) {
  const count = (type: string) => sql<string>`coalesce(sum(use_type = ${sql.lit(type)}), 0)`
  const sum = (type: string) => sql<string>`coalesce(sum(if(use_type = ${sql.lit(type)}, point_histories.point, 0)), 0)`
  const countInOtherWallets = (type: string) =>
    sql<string>`coalesce(sum(use_type = ${sql.lit(type)} and not point_id <=> wallet.id), 0)`
  const hasOne = (type: string, point: string) =>
    sql<boolean>`(${count(type)} = 1 and ${sum(type)} = ${sql.raw(point)} and ${countInOtherWallets(type)} = 0)`
  const hasCorrectUse = sql<boolean>`if(${isPaid}, ${hasOne('USE', '-total_price')}, ${count('USE')} = 0)`
  const hasCorrectRefund = sql<boolean>`if(${isRefunded}, ${hasOne('REFUND', 'total_price')}, ${count('REFUND')} = 0)`
  return db
    .selectFrom('orders')
    .leftJoin('points as wallet', 'wallet.user_id', 'orders.user_id')
    .leftJoin(forceIndex('point_histories', 'point_histories_order_exists'), 'point_histories.order_id', 'orders.id')
    .select([
      'orders.id',
      'orders.status',
      'total_price as total',
      'wallet.id as walletId',
      count('USE').as('useCount'),
      sum('USE').as('useSum'),
      countInOtherWallets('USE').as('usesInOtherWallets'),
      count('REFUND').as('refundCount'),
      sum('REFUND').as('refundSum'),
      countInOtherWallets('REFUND').as('refundsInOtherWallets'),
      sql<number>`${hasCorrectUse}`.as('hasCorrectUse'),
      sql<number>`${hasCorrectRefund}`.as('hasCorrectRefund'),
    ])
    .where(within('orders.id', chunk))
    .groupBy(['orders.id', 'orders.status', 'total_price', 'wallet.id'])
    .having(sql<boolean>`not (${hasCorrectUse} and ${hasCorrectRefund})`)
}
