import { isDecisive, OutcomeUnknownError, type Refusal, refusalOf, safe } from '@pointwise/client-sdk'
import type { Client } from '../server.ts'

/** Points that have to be charged before; with a key once it is not known whether they were. */
interface Charge {
  amount: number
  idempotencyKey?: string | undefined
}

interface NewOrder {
  /** Ordered and paid at once, or only ordered. */
  kind: 'checkout' | 'place'
  productId: number
  name: string
  quantity: number
  /** The price that the customer saw. */
  price: number
  /** Of the call whose outcome is not known. */
  idempotencyKey?: string | undefined
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
  // `charged`: points that were charged for it before it was refused.
  | { kind: 'refused'; refusal: Refusal; again: Purchase; charged?: number | undefined }
  | { kind: 'unknown'; again: Purchase }
  | { kind: 'failed'; error: unknown; again: Purchase }

export const totalOf = (purchase: Purchase): number =>
  purchase.kind === 'pay' ? purchase.total : purchase.price * purchase.quantity

/** Charges what has to be charged before, then orders or pays. */
export async function carryOut(client: Client, purchase: Purchase): Promise<Outcome> {
  const { charge } = purchase
  if (charge) {
    const [, error] = await safe(client.points.charge.mutate(charge))
    if (error)
      return failure(error, purchase, (idempotencyKey) => ({ ...purchase, charge: { ...charge, idempotencyKey } }))
  }
  const rest = { ...purchase, charge: undefined, isInDoubt: charge ? false : purchase.isInDoubt }
  const outcome = await (rest.kind === 'pay' ? pay(client, rest) : order(client, rest))
  return outcome.kind === 'refused' ? { ...outcome, charged: charge?.amount } : outcome
}

async function pay(client: Client, purchase: OldOrder): Promise<Outcome> {
  const { orderId } = purchase
  const [paid, error] = await safe(client.payments.pay.mutate({ orderId }))
  if (error) return failure(error, purchase, () => purchase)
  return { kind: 'paid', orderId, amount: paid.payment.amount, balance: paid.balance, replayed: paid.replayed }
}

async function order(client: Client, purchase: NewOrder): Promise<Outcome> {
  const { kind, productId, quantity, price, idempotencyKey } = purchase
  const input = { items: [{ productId, quantity, price }], idempotencyKey }
  const withKey = (idempotencyKey: string | undefined) => ({ ...purchase, idempotencyKey })
  if (kind === 'place') {
    const [placed, error] = await safe(client.orders.place.mutate(input))
    return error ? failure(error, purchase, withKey) : { kind: 'placed', orderId: placed.id, replayed: placed.replayed }
  }
  const [bought, error] = await safe(client.orders.checkout.mutate(input))
  if (error) return failure(error, purchase, withKey)
  const { order, payment, balance, replayed } = bought
  return { kind: 'paid', orderId: order.id, amount: payment.amount, balance, replayed }
}

function failure(error: unknown, sent: Purchase, withKey: (key: string | undefined) => Purchase): Outcome {
  if (error instanceof OutcomeUnknownError) {
    return { kind: 'unknown', again: { ...withKey(error.idempotencyKey), isInDoubt: true } }
  }
  const refusal = refusalOf(error)
  if (!refusal) return { kind: 'failed', error, again: sent }
  const isInDoubt = sent.isInDoubt && !isDecisive(refusal)
  return { kind: 'refused', refusal, again: { ...sent, isInDoubt } }
}
