import type { Event } from '../outbox/events.ts'

/** What has happened to a balance. */
export interface PointsChange {
  type: 'charged' | 'paid' | 'refunded'
  /** Signed: what was added to the balance. */
  amount: number
  balance: number
  /** The order that was paid or refunded; null for a charge. */
  orderId: number | null
  at: Date
}

/** What an event tells of a balance; undefined when it is about something else. */
export function pointsChangeOf({ type, payload, at }: Event): PointsChange | undefined {
  switch (type) {
    case 'points.charged':
      return { type: 'charged', amount: payload.amount, balance: payload.balance, orderId: null, at }
    case 'order.paid':
      return { type: 'paid', amount: 0 - payload.amount, balance: payload.balance, orderId: payload.orderId, at }
    case 'order.refunded':
      return { type: 'refunded', amount: payload.amount, balance: payload.balance, orderId: payload.orderId, at }
    default:
      return undefined
  }
}
