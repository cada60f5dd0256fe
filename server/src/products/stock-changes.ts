import type { Event } from '../outbox/events.ts'

/** What has happened to the stock or the price of some products at once. */
export interface StockChange {
  type: 'sold' | 'returned' | 'restocked' | 'created' | 'changed' | 'removed'
  products: {
    productId: number
    /** What is left. */
    stock: number
    /** The price; null where it is what it was. */
    price: number | null
  }[]
  at: Date
}

/** What events tell of the stock of these products; undefined when they are about something else. */
export function stockChanges(productIds: readonly number[]): (event: Event) => StockChange | undefined {
  const wanted = new Set(productIds)
  return (event) => {
    const change = stockChangeOf(event)
    const products = change?.products.filter(({ productId }) => wanted.has(productId)) ?? []
    return change && products.length > 0 ? { ...change, products } : undefined
  }
}

function stockChangeOf({ type, payload, at }: Event): StockChange | undefined {
  switch (type) {
    case 'order.paid':
      return { type: 'sold', products: payload.items.map(left), at }
    case 'order.refunded':
      return { type: 'returned', products: payload.items.map(left), at }
    case 'product.restocked':
      return { type: 'restocked', products: [left(payload)], at }
    case 'product.created':
      return { type: 'created', products: [{ ...left(payload), price: payload.price }], at }
    case 'product.changed':
      return { type: 'changed', products: [{ ...left(payload), price: payload.price }], at }
    case 'product.removed':
      return { type: 'removed', products: [{ ...left(payload), price: payload.price }], at }
    default:
      return undefined
  }
}

function left({ productId, stock }: { productId: number; stock: number }) {
  return { productId, stock, price: null }
}
