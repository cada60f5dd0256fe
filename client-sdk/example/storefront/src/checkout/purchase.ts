import {
  isDecisive,
  newIdempotencyKey,
  OutcomeUnknownError,
  type Refusal,
  refusalOf,
  safe,
} from '@pointwise/client-sdk'
import type { Client } from '../api-client.ts'

/** A top-up that precedes the purchase. */
interface Charge {
  amount: number
  idempotencyKey: string
}

interface NewOrder {
  /** `checkout` orders and pays at once; `place` only orders. */
  kind: 'checkout' | 'place'
  productId: number
  name: string
  quantity: number
  /** The price that the customer saw. */
  price: number
  /** Shared by all requests of this purchase: whatever the customer confirms on the way, it is bought once. */
  idempotencyKey: string
}

interface ExistingOrder {
  kind: 'pay'
  orderId: number
  name: string
  total: number
}

export type Purchase = (NewOrder | ExistingOrder) & {
  charge?: Charge | undefined
  /** Whether an earlier attempt may have taken effect. */
  isOutcomeUnknown?: boolean | undefined
}

/** The result of a purchase. `retry` is the purchase to send for another attempt, without the steps that succeeded. */
export type Outcome =
  | { kind: 'paid'; orderId: number; amount: number; balance: number; replayed: boolean }
  | { kind: 'placed'; orderId: number; replayed: boolean }
  | RefusedPurchase
  | { kind: 'unknown'; retry: Purchase }
  | { kind: 'failed'; error: unknown; retry: Purchase }

export interface RefusedPurchase {
  kind: 'refused'
  refusal: Refusal
  retry: Purchase
  /** Points that were charged before the purchase was refused. */
  chargedAmount?: number | undefined
  /** The idempotency key for a charge that the customer may confirm next. */
  nextChargeKey: string
}

export const totalOf = (purchase: Purchase): number =>
  purchase.kind === 'pay' ? purchase.total : purchase.price * purchase.quantity

/** Charges points if the purchase includes a charge, then orders or pays. */
export async function executePurchase(client: Client, purchase: Purchase): Promise<Outcome> {
  const { charge } = purchase
  if (charge) {
    const [, error] = await safe(client.points.charge.mutate(charge))
    if (error) return failedOutcome(error, purchase)
  }
  const withoutCharge = {
    ...purchase,
    charge: undefined,
    isOutcomeUnknown: charge ? false : purchase.isOutcomeUnknown,
  }
  const outcome = await (withoutCharge.kind === 'pay' ? pay(client, withoutCharge) : order(client, withoutCharge))
  return outcome.kind === 'refused' ? { ...outcome, chargedAmount: charge?.amount } : outcome
}

async function pay(client: Client, purchase: ExistingOrder): Promise<Outcome> {
  const { orderId } = purchase
  const [result, error] = await safe(client.payments.pay.mutate({ orderId }))
  if (error) return failedOutcome(error, purchase)
  const { payment, balance, replayed } = result
  return { kind: 'paid', orderId, amount: payment.amount, balance, replayed }
}

async function order(client: Client, purchase: NewOrder): Promise<Outcome> {
  const { kind, productId, quantity, price, idempotencyKey } = purchase
  const input = { items: [{ productId, quantity, price }], idempotencyKey }
  if (kind === 'place') {
    const [order, error] = await safe(client.orders.place.mutate(input))
    return error ? failedOutcome(error, purchase) : { kind: 'placed', orderId: order.id, replayed: order.replayed }
  }
  const [result, error] = await safe(client.orders.checkout.mutate(input))
  if (error) return failedOutcome(error, purchase)
  const { order, payment, balance, replayed } = result
  return { kind: 'paid', orderId: order.id, amount: payment.amount, balance, replayed }
}

function failedOutcome(error: unknown, purchase: Purchase): Outcome {
  const isUnknown = error instanceof OutcomeUnknownError
  const refusal = refusalOf(isUnknown ? error.cause : error)
  // A refusal that could decide the purchase is shown only when it does: what it suggests could be a second purchase.
  if (isUnknown && (!refusal || isDecisive(refusal))) {
    return { kind: 'unknown', retry: { ...purchase, isOutcomeUnknown: true } }
  }
  if (!refusal) return { kind: 'failed', error, retry: purchase }
  const isOutcomeUnknown = isUnknown || (purchase.isOutcomeUnknown && !isDecisive(refusal))
  return {
    kind: 'refused',
    refusal,
    retry: { ...purchase, isOutcomeUnknown },
    nextChargeKey: newIdempotencyKey(),
  }
}
