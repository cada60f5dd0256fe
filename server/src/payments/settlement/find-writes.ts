import { executeBatch, type Tx } from '@pointwise/db'
import type { PaymentWrite } from './decide.ts'
import { lockWallets, selectPayments } from './lock-queries.ts'

/**
 * Whether the transaction that wrote these payments was committed, after the answer of its COMMIT was lost. It had locked the wallets.
 * Once one of them is locked here, that transaction has ended, and all of its payments exist or none does.
 *
 * The payments are compared as a whole: an order that another transaction has paid meanwhile is no proof of this one.
 */
export async function findWrites(tx: Tx, writes: readonly PaymentWrite[]): Promise<boolean> {
  const [first] = writes
  if (!first) return false
  const { payments } = await executeBatch(tx, {
    wallet: lockWallets(tx, [first.userId]),
    payments: selectPayments(
      tx,
      writes.map(({ order }) => order.id),
    ),
  })
  const paymentOf = new Map(payments.map((payment) => [payment.orderId, payment]))
  return writes.every(({ userId, order, balance, paidAt }) => {
    const payment = paymentOf.get(order.id)
    return (
      payment?.userId === userId &&
      payment.amount === order.totalPrice &&
      payment.balance === balance &&
      payment.paidAt.getTime() === paidAt.getTime()
    )
  })
}
