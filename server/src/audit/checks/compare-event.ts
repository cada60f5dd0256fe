import type { StoredEvent } from '../../outbox/events.ts'
import type { Finding } from '../audit-schemas.ts'
import { format } from '../findings.ts'
import type { DescribedRows, HistoryRow } from './described-rows.ts'

/** Whether the rows that an event describes exist and have its values. */
export function matchesRows(event: StoredEvent, rows: DescribedRows): boolean {
  const { type, payload } = event
  switch (type) {
    case 'points.charged': {
      const charge = rows.charges.get(payload.historyId)
      return (
        charge?.useType === 'CHARGE' &&
        charge.point === payload.amount &&
        charge.balance === payload.balance &&
        charge.userId === payload.userId
      )
    }
    case 'order.placed':
      return rows.orders.get(payload.orderId)?.total === payload.totalPrice && isOwner(payload, rows)
    case 'order.paid':
      return ['paid', 'refunded'].includes(statusOf(payload, rows)) && matchesOrder(payload, 'USE', rows)
    case 'order.refunded':
      return statusOf(payload, rows) === 'refunded' && matchesOrder(payload, 'REFUND', rows)
    case 'order.cancelled':
      return statusOf(payload, rows) === 'cancelled' && isOwner(payload, rows)
    case 'product.removed':
      return (rows.products.get(payload.productId)?.deletedAt ?? null) !== null
    default:
      return rows.products.has(payload.productId)
  }
}

type OrderRef = { orderId: number; userId: number }
type OrderEvent = OrderRef & { amount: number; balance: number; items: { productId: number; quantity: number }[] }

const statusOf = ({ orderId }: { orderId: number }, { orders }: DescribedRows) => orders.get(orderId)?.status ?? 'none'

const isOwner = ({ orderId, userId }: OrderRef, { orders }: DescribedRows) => orders.get(orderId)?.userId === userId

function matchesOrder(payload: OrderEvent, useType: string, rows: DescribedRows): boolean {
  const histories = historiesOf(payload, useType, rows)
  const lines = rows.lines.get(payload.orderId) ?? []
  return (
    isOwner(payload, rows) &&
    rows.orders.get(payload.orderId)?.total === payload.amount &&
    // An order without such a row fails another check.
    (histories.length === 0 || histories.some(({ balance }) => balance === payload.balance)) &&
    lines.length === payload.items.length &&
    payload.items.every(
      ({ productId, quantity }, index) => lines[index]?.productId === productId && lines[index]?.quantity === quantity,
    )
  )
}

function historiesOf({ orderId }: { orderId: number }, useType: string, rows: DescribedRows): HistoryRow[] {
  return (rows.historiesByOrder.get(orderId) ?? []).filter((row) => row.useType === useType)
}

/** Describes the rows that an event is about; the columns of a row that does not exist are null. */
export function describeRows({ type, payload }: StoredEvent, rows: DescribedRows): string {
  if (type === 'points.charged') {
    const { useType, point, balance, userId } = rows.charges.get(payload.historyId) ?? {}
    return `a ${format(useType)} row of ${format(point)} for user ${format(userId)}, balance ${format(balance)}`
  }
  if ('productId' in payload) {
    const product = rows.products.get(payload.productId)
    return `product ${format(product?.id)}, deleted_at ${format(product?.deletedAt)}`
  }
  const order = rows.orders.get(payload.orderId)
  const lines = (rows.lines.get(payload.orderId) ?? []).map((line) => `${line.quantity} × product ${line.productId}`)
  const [history] = historiesOf(payload, type === 'order.refunded' ? 'REFUND' : 'USE', rows)
  const balance = 'balance' in payload ? [`balance ${format(history?.balance)}`] : []
  return [
    `an order of user ${format(order?.userId)}`,
    `total ${format(order?.total)}`,
    `status ${format(order?.status)}`,
    ...balance,
  ]
    .join(', ')
    .concat(`: ${lines.join(', ') || 'no lines'}`)
}

/** A time that must be that of the event. */
type RowTime = Pick<Finding, 'what' | 'ids'> & { column: string; time: Date }

/** The times that the change of an event has given to rows. Rows that do not exist have none. */
function timesOf({ type, payload }: StoredEvent, rows: DescribedRows): RowTime[] {
  const at = (what: string, ids: Finding['ids'], column: string, time: Date | null | undefined): RowTime[] =>
    time ? [{ what, ids, column, time }] : []
  const histories = (orderId: number, useType: string) =>
    historiesOf({ orderId }, useType, rows).flatMap(({ id, createdAt }) =>
      at('point_histories', { id }, 'created_at', createdAt),
    )
  if (type === 'points.charged') {
    const { historyId: id } = payload
    return at('point_histories', { id }, 'created_at', rows.charges.get(id)?.createdAt)
  }
  if ('productId' in payload) {
    const { productId: id } = payload
    const product = rows.products.get(id)
    if (type === 'product.created') return at('products', { id }, 'created_at', product?.createdAt)
    return type === 'product.removed' ? at('products', { id }, 'deleted_at', product?.deletedAt) : []
  }
  const { orderId } = payload
  const order = rows.orders.get(orderId)
  const orderAt = (column: string, time: Date | null | undefined) => at('orders', { id: orderId }, column, time)
  switch (type) {
    case 'order.placed':
      return orderAt('created_at', order?.createdAt)
    case 'order.paid':
      return [
        ...orderAt('paid_at', order?.paidAt),
        ...at('payments', { order_id: orderId }, 'created_at', order?.paymentAt),
        ...histories(orderId, 'USE'),
      ]
    case 'order.refunded':
      return [...at('refunds', { order_id: orderId }, 'created_at', order?.refundAt), ...histories(orderId, 'REFUND')]
    default:
      // The column changes with every later change, and a cancelled order has none.
      return orderAt('updated_at', order?.updatedAt)
  }
}

/** The findings for times that differ between an event and its rows. If the rows agree, the event is the one that is wrong. */
export function wrongTimes(event: StoredEvent, rows: DescribedRows): Finding[] {
  const times = timesOf(event, rows)
  const [first] = times
  const isEqual = (a: Date, b: Date) => a.getTime() === b.getTime()
  if (first && times.length > 1 && times.every(({ time }) => isEqual(time, first.time))) {
    if (isEqual(first.time, event.at)) return []
    const expected = `created_at ${format(first.time)}, as in the rows of ${event.type}`
    return [{ what: 'events', ids: { id: event.id }, expected, found: `created_at ${format(event.at)}` }]
  }
  return times.flatMap(({ what, ids, column, time }): Finding[] => {
    if (isEqual(time, event.at)) return []
    const expected = `${column} ${format(event.at)}, as in event ${event.id}`
    return [{ what, ids, expected, found: `${column} ${format(time)}` }]
  })
}
