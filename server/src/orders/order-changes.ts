import { z } from 'zod'
import type { Event } from '../outbox/events.ts'
import { id, price } from '../rpc/schemas.ts'

export const orderChange = z.discriminatedUnion('type', [
  z.object({ type: z.literal('placed'), orderId: id, totalPrice: price, at: z.date() }),
  z.object({ type: z.enum(['paid', 'refunded']), orderId: id, amount: price, at: z.date() }),
  z.object({ type: z.literal('cancelled'), orderId: id, at: z.date() }),
])

type OrderChange = z.output<typeof orderChange>

/** Returns the change of an order that the event describes; undefined for events of other types. */
export function orderChangeOf({ type, payload, at }: Event): OrderChange | undefined {
  switch (type) {
    case 'order.placed':
      return { type: 'placed', orderId: payload.orderId, totalPrice: payload.totalPrice, at }
    case 'order.paid':
      return { type: 'paid', orderId: payload.orderId, amount: payload.amount, at }
    case 'order.refunded':
      return { type: 'refunded', orderId: payload.orderId, amount: payload.amount, at }
    case 'order.cancelled':
      return { type: 'cancelled', orderId: payload.orderId, at }
    default:
      return undefined
  }
}
