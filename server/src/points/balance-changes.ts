import { z } from 'zod'
import type { Event } from '../outbox/events.ts'
import { id } from '../rpc/schemas.ts'
import { BALANCE_MAX } from './point-schemas.ts'

/** `amount` is signed: what was added to the balance. `orderId` is null for a charge. */
export const pointsChange = z.object({
  type: z.enum(['charged', 'paid', 'refunded']),
  amount: z.int(),
  balance: z.int().min(0).max(BALANCE_MAX),
  orderId: id.nullable(),
  at: z.date(),
})

type PointsChange = z.output<typeof pointsChange>

/** Returns the change of a balance that the event describes; undefined for events of other types. */
export function pointsChangeOf({ type, payload, at }: Event): PointsChange | undefined {
  switch (type) {
    case 'points.charged':
      return { type: 'charged', amount: payload.amount, balance: payload.balance, orderId: null, at }
    case 'order.paid':
      // Subtraction, because negating an amount of 0 yields -0.
      return { type: 'paid', amount: 0 - payload.amount, balance: payload.balance, orderId: payload.orderId, at }
    case 'order.refunded':
      return { type: 'refunded', amount: payload.amount, balance: payload.balance, orderId: payload.orderId, at }
    default:
      return undefined
  }
}
