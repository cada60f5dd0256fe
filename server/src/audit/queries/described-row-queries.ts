import { forceIndex, type Reader } from '@pointwise/db'
import { sql } from 'kysely'

/*
 * The rows that events describe, by the ids that the events name.
 */

function selectHistoryRows(db: Reader, index: 'PRIMARY' | 'point_histories_order_exists') {
  return db
    .selectFrom(forceIndex('point_histories', index))
    .leftJoin('points', 'points.id', 'point_histories.point_id')
    .select([
      'point_histories.id',
      'use_type as useType',
      'point_histories.order_id as orderId',
      'point_histories.point',
      'balance',
      'points.user_id as userId',
      'point_histories.created_at as createdAt',
    ])
}

export function selectHistories(db: Reader, ids: number[]) {
  return selectHistoryRows(db, 'PRIMARY').where('point_histories.id', 'in', ids)
}

export function selectHistoriesOfOrders(db: Reader, orderIds: number[]) {
  return selectHistoryRows(db, 'point_histories_order_exists').where('point_histories.order_id', 'in', orderIds)
}

export function selectOrders(db: Reader, ids: number[]) {
  return db
    .selectFrom(forceIndex('orders', 'PRIMARY'))
    .leftJoin(forceIndex('payments', 'PRIMARY'), 'payments.order_id', 'orders.id')
    .leftJoin(forceIndex('refunds', 'PRIMARY'), 'refunds.order_id', 'orders.id')
    .select([
      'orders.id',
      'orders.user_id as userId',
      'status',
      'total_price as total',
      'orders.created_at as createdAt',
      'orders.updated_at as updatedAt',
      'paid_at as paidAt',
      'payments.created_at as paymentAt',
      'refunds.created_at as refundAt',
    ])
    .where('orders.id', 'in', ids)
}

/** The lines of orders, by ascending product id. */
export function selectLines(db: Reader, orderIds: number[]) {
  return db
    .selectFrom(forceIndex('order_products', 'order_products_line'))
    .select(['order_id as orderId', 'product_id as productId', 'product_name as name', 'price'])
    .select(sql<number>`order_products.count`.as('quantity'))
    .where('order_id', 'in', orderIds)
    .orderBy('order_id')
    .orderBy('product_id')
}

export function selectProducts(db: Reader, ids: number[]) {
  return db
    .selectFrom(forceIndex('products', 'PRIMARY'))
    .select(['id', 'created_at as createdAt', 'deleted_at as deletedAt'])
    .where('id', 'in', ids)
}
