import type { AuditRun, TableScans } from '../audit-run.ts'
import { format } from '../findings.ts'
import * as queries from '../queries/order-queries.ts'

/** Holds each order against its lines, its payment, its refund, and their rows of history. */
export async function checkOrders({ db, findings, progress }: AuditRun, { orders }: TableScans): Promise<void> {
  for (const check of ['totals', 'payments', 'uses', 'refunds', 'returns'] as const)
    findings.addRows(check, orders.rows)
  for (const chunk of orders.chunks) {
    for (const { id, expected, found } of await queries.selectOrdersOffLines(db, chunk).execute()) {
      findings.addFinding('totals', {
        what: 'orders',
        ids: { id },
        expected: expected === null ? 'lines' : `total_price ${expected}`,
        found: expected === null ? 'none' : `total_price ${found}`,
      })
    }
    for (const order of await queries.selectOrdersOffPayment(db, chunk).execute()) {
      const { status, total, userId, paidAt, paid, payer, paymentAt, refunded } = order
      const ids = { order_id: order.id }
      const payment = (amount: number, user: number | null, at: Date | null) =>
        `amount ${amount}, user_id ${user}, created_at ${format(at)}`
      if (!order.hasItsPayment) {
        findings.addFinding('payments', {
          what: 'payments',
          ids,
          expected: isPaid(status) ? payment(total, userId, paidAt) : `none: the order is ${status}`,
          found: paid === null ? 'none' : payment(paid, payer, paymentAt),
        })
      }
      if (!order.hasItsRefund) {
        findings.addFinding('refunds', {
          what: 'refunds',
          ids,
          expected: status === 'refunded' ? `amount ${total}` : `none: the order is ${status}`,
          found: refunded === null ? 'none' : `amount ${refunded}`,
        })
      }
    }
    for (const order of await queries.selectOrdersOffHistory(db, chunk).execute()) {
      const { status, total, walletId } = order
      const rows = (type: string, count: unknown, sum: unknown, ofOthers: unknown) =>
        Number(count) === 0
          ? 'none'
          : `${count} ${type}, together ${sum}${Number(ofOthers) > 0 ? `, ${ofOthers} of them in another wallet` : ''}`
      const one = (type: string, point: number) => `1 ${type} of ${point} in wallet ${format(walletId)}`
      const none = `none: the order is ${status}`
      const broken = (check: 'uses' | 'returns', expected: string, found: string) =>
        findings.addFinding(check, { what: 'point_histories', ids: { order_id: order.id }, expected, found })
      if (!order.hasItsUse) {
        const expected = isPaid(status) ? one('USE', -total) : none
        broken('uses', expected, rows('USE', order.uses, order.used, order.usesOfOthers))
      }
      if (!order.hasItsRefund) {
        const expected = status === 'refunded' ? one('REFUND', total) : none
        broken('returns', expected, rows('REFUND', order.refunds, order.refunded, order.refundsOfOthers))
      }
    }
    progress('orders, payments and refunds', chunk.upTo)
  }
}

function isPaid(status: string): boolean {
  return status === 'paid' || status === 'refunded'
}
