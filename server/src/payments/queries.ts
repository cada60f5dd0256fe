import type { Db, Tx } from '@pointwise/db'

export function selectPayment(db: Db, userId: number, orderId: number) {
  return db
    .selectFrom('payments')
    .select(['order_id as orderId', 'amount', 'created_at as paidAt'])
    .where('order_id', '=', orderId)
    .where('user_id', '=', userId)
}

export function insertPayment(tx: Tx, payment: { orderId: number; userId: number; amount: number; paidAt: Date }) {
  return tx.insertInto('payments').values({
    order_id: payment.orderId,
    user_id: payment.userId,
    amount: payment.amount,
    created_at: payment.paidAt,
  })
}

export function selectRefund(db: Db, orderId: number) {
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
