import { formatPieces, formatPoints } from '../format.ts'
import { isSignedOut } from '../refusal-messages.ts'
import { type Purchase, type RefusedPurchase, totalOf } from './purchase.ts'

export interface SuggestedAction {
  label: string
  purchase: Purchase
  /** Whether the customer has to sign in first. */
  requiresSignIn?: boolean
}

/** Returns what the customer can do after a refusal; undefined if nothing helps. */
export function suggestedActionFor({
  refusal,
  retry: purchase,
  nextChargeKey,
}: RefusedPurchase): SuggestedAction | undefined {
  if (isSignedOut(refusal)) {
    // Another user may sign in, with another balance. The amount to charge depends on it.
    return { label: 'Sign in again', purchase: { ...purchase, charge: undefined }, requiresSignIn: true }
  }
  const verb = purchase.kind === 'place' ? 'Order' : purchase.kind === 'pay' ? 'Pay' : 'Buy'
  switch (refusal.code) {
    case 'price_changed': {
      if (purchase.kind === 'pay') return
      const repriced = { ...purchase, price: refusal.actual }
      return { label: `${verb} for ${formatPoints(totalOf(repriced))}`, purchase: repriced }
    }
    case 'stock_insufficient':
      if (purchase.kind === 'pay' || refusal.available === 0) return
      return {
        label: `${verb} ${formatPieces(refusal.available)} instead`,
        purchase: { ...purchase, quantity: refusal.available },
      }
    case 'points_insufficient': {
      const amount = refusal.required - refusal.balance
      return {
        label: `Top up ${formatPoints(amount)} and ${verb.toLowerCase()}`,
        purchase: { ...purchase, charge: { amount, idempotencyKey: nextChargeKey } },
      }
    }
    case 'service_busy':
    case 'deadline_exceeded':
    case 'rate_limited':
      return { label: 'Try again now', purchase }
    default:
      return
  }
}
