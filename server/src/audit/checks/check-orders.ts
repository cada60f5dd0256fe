import type { AuditRun, TableScans } from '../audit-run.ts'
import { format } from '../findings.ts'
import type { Chunk } from '../queries/chunk-queries.ts'
import * as queries from '../queries/order-queries.ts'

/** Compares each order with its lines, its payment, its refund, and its history rows. */
export async function checkOrders(run: AuditRun, { orders }: TableScans): Promise<void> {
  for (const check of ['totals', 'payments', 'uses', 'refunds', 'returns'] as const) {
    run.findings.addRows(check, orders.rows)
  }
  for (const chunk of orders.chunks) {
    await checkTotals(run, chunk)
    await checkPayments(run, chunk)
    await checkHistories(run, chunk)
    run.progress('orders, payments and refunds', chunk.through)
  }
}

async function checkTotals({ db, findings }: AuditRun, chunk: Chunk): Promise<void> {
  for (const { id, expected, found } of await queries.selectOrdersWithWrongTotal(db, chunk).execute()) {
    findings.addFinding('totals', {
      what: 'orders',
      ids: { id },
      expected: expected === null ? 'at least one line' : `total_price ${expected}`,
      found: expected === null ? 'none' : `total_price ${found}`,
    })
  }
}

async function checkPayments({ db, findings }: AuditRun, chunk: Chunk): Promise<void> {
  for (const order of await queries.selectOrdersWithWrongPayment(db, chunk).execute()) {
    const { status, total, userId, paidAt, paid, payer, paymentAt, refunded } = order
    const ids = { order_id: order.id }
    const payment = (amount: number, user: number | null, at: Date | null) =>
      `amount ${amount}, user_id ${user}, created_at ${format(at)}`
    if (!order.hasCorrectPayment) {
      findings.addFinding('payments', {
        what: 'payments',
        ids,
        expected: isPaid(status) ? payment(total, userId, paidAt) : noneOf(status),
        found: paid === null ? 'none' : payment(paid, payer, paymentAt),
      })
    }
    if (!order.hasCorrectRefund) {
      findings.addFinding('refunds', {
        what: 'refunds',
        ids,
        expected: status === 'refunded' ? `amount ${total}` : noneOf(status),
        found: refunded === null ? 'none' : `amount ${refunded}`,
      })
    }
  }
}

async function checkHistories({ db, findings }: AuditRun, chunk: Chunk): Promise<void> {
  for (const order of await queries.selectOrdersWithWrongHistory(db, chunk).execute()) {
    const { status, total, walletId } = order
    const add = (check: 'uses' | 'returns', expected: string, found: string) =>
      findings.addFinding(check, { what: 'point_histories', ids: { order_id: order.id }, expected, found })
    const oneRow = (type: string, point: number) => `1 ${type} row of ${point} in wallet ${format(walletId)}`
    if (!order.hasCorrectUse) {
      const { useCount: count, useSum: sum, usesInOtherWallets: elsewhere } = order
      const expected = isPaid(status) ? oneRow('USE', -total) : noneOf(status)
      add('uses', expected, describeRows('USE', { count, sum, elsewhere }))
    }
    if (!order.hasCorrectRefund) {
      const { refundCount: count, refundSum: sum, refundsInOtherWallets: elsewhere } = order
      const expected = status === 'refunded' ? oneRow('REFUND', total) : noneOf(status)
      add('returns', expected, describeRows('REFUND', { count, sum, elsewhere }))
    }
  }
}

function describeRows(type: string, rows: Record<'count' | 'sum' | 'elsewhere', string>): string {
  const [count, elsewhere] = [Number(rows.count), Number(rows.elsewhere)]
  if (count === 0) return 'none'
  const otherWallets = elsewhere > 0 ? `, ${elsewhere} of them in another wallet` : ''
  return `${count} ${type} ${count === 1 ? 'row' : 'rows'} with a sum of ${rows.sum}${otherWallets}`
}

function isPaid(status: string): boolean {
  return status === 'paid' || status === 'refunded'
}

function noneOf(status: string): string {
  return `none, because the order is ${status}`
}
