import type { Reader, Tx } from '@pointwise/db'

/** The payment of a user's own order. */
export function selectPayment(db: Reader, userId: number, orderId: number) {
  return db
    .selectFrom('payments')
    .select(['order_id as orderId', 'amount', 'created_at as paidAt'])
    .where('order_id', '=', orderId)
    .where('user_id', '=', userId)
}

export function selectRefund(db: Reader, orderId: number) {
  return db
    .selectFrom('refunds')
    .select(['order_id as orderId', 'amount', 'created_at as refundedAt'])
    .where('order_id', '=', orderId)
}

export function insertRefund(tx: Tx, refund: { orderId: number; amount: number; refundedAt: Date }) {
  return tx
    .insertInto('refunds')
    .values({ order_id: refund.orderId, amount: refund.amount, created_at: refund.refundedAt })
}
