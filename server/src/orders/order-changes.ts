import type { Event } from '../outbox/events.ts'

/** What has happened to an order. */
export type OrderChange =
  | { type: 'placed'; orderId: number; totalPrice: number; at: Date }
  | { type: 'paid' | 'refunded'; orderId: number; amount: number; at: Date }
  | { type: 'cancelled'; orderId: number; at: Date }

/** What an event tells of an order; undefined when it is about something else. */
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
