import type { Tx } from '@pointwise/db'

interface Item {
  productId: number
  quantity: number
  /** What is left of the product. */
  stock: number
}

interface Product {
  productId: number
  name: string
  price: number
  stock: number
}

interface Settled {
  userId: number
  orderId: number
  amount: number
  balance: number
  items: Item[]
}

/** What the outbox tells, by its type. */
export interface EventPayloads {
  'points.charged': { userId: number; historyId: number; amount: number; balance: number }
  'order.placed': { userId: number; orderId: number; totalPrice: number }
  'order.paid': Settled
  'order.refunded': Settled
  'order.cancelled': { userId: number; orderId: number }
  'product.created': Product
  'product.changed': Product
  'product.removed': Product
  'product.restocked': { productId: number; change: number; stock: number }
}

export type Event = {
  [Type in keyof EventPayloads]: { type: Type; payload: EventPayloads[Type]; at: Date }
}[keyof EventPayloads]

/**
 * Writes events to the outbox. It is the last insert of the transaction that the events tell of, so that an event's
 * order among others is known as late as possible.
 */
export async function insertEvent(tx: Tx, ...events: Event[]): Promise<void> {
  await insertEvents(tx, events).execute()
}

/** The statement of `emit`, for a transaction that sends several in one round trip. */
export function insertEvents(tx: Tx, events: Event[]) {
  return tx.insertInto('events').values(
    events.map(({ type, payload, at }) => ({
      type,
      key: 'userId' in payload ? `user:${payload.userId}` : `product:${payload.productId}`,
      payload: JSON.stringify(payload),
      created_at: at,
      published_at: null,
    })),
  )
}
