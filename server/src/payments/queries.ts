import type { Reader, Tx } from '@pointwise/db'

export function selectPayment(db: Reader, userId: number, orderId: number) {
  return db
    .selectFrom('payments')
    .select(['order_id as orderId', 'amount', 'created_at as paidAt'])
    .where('order_id', '=', orderId)
    .where('user_id', '=', userId)
}

/** Orders' payments, each with the balance right after it. */
export function selectPaid(db: Reader, orderIds: number[]) {
  return db
    .selectFrom('payments')
    .innerJoin('point_histories', 'point_histories.order_id', 'payments.order_id')
    .select(['payments.order_id as orderId', 'amount', 'payments.created_at as paidAt', 'balance'])
    .where('payments.order_id', 'in', orderIds)
    .where('use_type', '=', 'USE')
}

interface NewPayment {
  orderId: number
  userId: number
  amount: number
  paidAt: Date
}

export function insertPayments(tx: Tx, payments: NewPayment[]) {
  return tx.insertInto('payments').values(
    payments.map((payment) => ({
      order_id: payment.orderId,
      user_id: payment.userId,
      amount: payment.amount,
      created_at: payment.paidAt,
    })),
  )
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
