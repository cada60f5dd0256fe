import {
  isDecisive,
  newIdempotencyKey,
  OutcomeUnknownError,
  type Refusal,
  refusalOf,
  safe,
} from '@pointwise/client-sdk'
import type { Client } from '../server.ts'

/** Points that have to be charged before. */
interface Charge {
  amount: number
  idempotencyKey: string
}

interface NewOrder {
  /** Ordered and paid at once, or only ordered. */
  kind: 'checkout' | 'place'
  productId: number
  name: string
  quantity: number
  /** The price that the customer saw. */
  price: number
  /** Of all that is sent for it: whatever a customer confirms on the way, it is bought once. */
  idempotencyKey: string
}

interface OldOrder {
  kind: 'pay'
  orderId: number
  name: string
  total: number
}

export type Purchase = (NewOrder | OldOrder) & {
  charge?: Charge | undefined
  /** An earlier try may have gone through. */
  isInDoubt?: boolean | undefined
}

/** How it went. Where it may go on, `again` is what to send: without what was done already. */
export type Outcome =
  | { kind: 'paid'; orderId: number; amount: number; balance: number; replayed: boolean }
  | { kind: 'placed'; orderId: number; replayed: boolean }
  // `charged`: points that were charged for it before it was refused; `chargeKey`: for those that may be charged next.
  | { kind: 'refused'; refusal: Refusal; again: Purchase; charged?: number | undefined; chargeKey: string }
  | { kind: 'unknown'; again: Purchase }
  | { kind: 'failed'; error: unknown; again: Purchase }

export const totalOf = (purchase: Purchase): number =>
  purchase.kind === 'pay' ? purchase.total : purchase.price * purchase.quantity

/** Charges what has to be charged before, then orders or pays. */
export async function carryOut(client: Client, purchase: Purchase): Promise<Outcome> {
  const { charge } = purchase
  if (charge) {
    const [, error] = await safe(client.points.charge.mutate(charge))
    if (error) return failure(error, purchase)
  }
  const rest = { ...purchase, charge: undefined, isInDoubt: charge ? false : purchase.isInDoubt }
  const outcome = await (rest.kind === 'pay' ? pay(client, rest) : order(client, rest))
  return outcome.kind === 'refused' ? { ...outcome, charged: charge?.amount } : outcome
}

async function pay(client: Client, purchase: OldOrder): Promise<Outcome> {
  const { orderId } = purchase
  const [paid, error] = await safe(client.payments.pay.mutate({ orderId }))
  if (error) return failure(error, purchase)
  return { kind: 'paid', orderId, amount: paid.payment.amount, balance: paid.balance, replayed: paid.replayed }
}

async function order(client: Client, purchase: NewOrder): Promise<Outcome> {
  const { kind, productId, quantity, price, idempotencyKey } = purchase
  const input = { items: [{ productId, quantity, price }], idempotencyKey }
  if (kind === 'place') {
    const [placed, error] = await safe(client.orders.place.mutate(input))
    return error ? failure(error, purchase) : { kind: 'placed', orderId: placed.id, replayed: placed.replayed }
  }
  const [bought, error] = await safe(client.orders.checkout.mutate(input))
  if (error) return failure(error, purchase)
  const { order, payment, balance, replayed } = bought
  return { kind: 'paid', orderId: order.id, amount: payment.amount, balance, replayed }
}

function failure(error: unknown, sent: Purchase): Outcome {
  if (error instanceof OutcomeUnknownError) return { kind: 'unknown', again: { ...sent, isInDoubt: true } }
  const refusal = refusalOf(error)
  if (!refusal) return { kind: 'failed', error, again: sent }
  const isInDoubt = sent.isInDoubt && !isDecisive(refusal)
  return { kind: 'refused', refusal, again: { ...sent, isInDoubt }, chargeKey: newIdempotencyKey() }
}
