import { isSignedOut, pieces, points } from '../words.ts'
import { type Outcome, type Purchase, totalOf } from './purchase.ts'

export interface Remedy {
  label: string
  purchase: Purchase
  /** Helps once the customer has signed in. */
  needsSignIn?: boolean
}

/** What a customer may want instead, after a refusal; undefined where nothing helps. */
export function remedyFor(refused: Extract<Outcome, { kind: 'refused' }>): Remedy | undefined {
  const { refusal, again: purchase, chargeKey } = refused
  if (isSignedOut(refusal)) {
    // Whoever signs in has a balance of their own, from which follows what has to be charged.
    return { label: 'Sign in again', purchase: { ...purchase, charge: undefined }, needsSignIn: true }
  }
  const verb = purchase.kind === 'place' ? 'Order' : purchase.kind === 'pay' ? 'Pay' : 'Buy'
  switch (refusal.code) {
    case 'price_changed': {
      if (purchase.kind === 'pay') return
      const changed = { ...purchase, price: refusal.actual }
      return { label: `${verb} for ${points(totalOf(changed))}`, purchase: changed }
    }
    case 'stock_insufficient':
      if (purchase.kind === 'pay' || refusal.available === 0) return
      return {
        label: `${verb} ${pieces(refusal.available)} instead`,
        purchase: { ...purchase, quantity: refusal.available },
      }
    case 'points_insufficient': {
      const amount = refusal.required - refusal.balance
      return {
        label: `Charge ${points(amount)} and ${verb.toLowerCase()}`,
        purchase: { ...purchase, charge: { amount, idempotencyKey: chargeKey } },
      }
    }
    case 'service_busy':
    case 'rate_limited':
      return { label: 'Try again now', purchase }
    default:
      return
  }
}
