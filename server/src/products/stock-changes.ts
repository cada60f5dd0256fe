import { z } from 'zod'
import type { Event } from '../outbox/events.ts'
import { id, price } from '../rpc/schemas.ts'

/** `stock` is the stock after the change, and `price` is null if the event does not change the price. */
export const stockChange = z.object({
  type: z.enum(['sold', 'returned', 'restocked', 'created', 'changed', 'removed']),
  products: z.array(z.object({ productId: id, stock: z.int().min(0), price: price.nullable() })),
  at: z.date(),
})

type StockChange = z.output<typeof stockChange>

/** Returns a function that extracts from an event the changes of these products; undefined if the event has none. */
export function stockChanges(productIds: readonly number[]): (event: Event) => StockChange | undefined {
  const included = new Set(productIds)
  return (event) => {
    const change = stockChangeOf(event)
    const products = change?.products.filter(({ productId }) => included.has(productId)) ?? []
    return change && products.length > 0 ? { ...change, products } : undefined
  }
}

function stockChangeOf({ type, payload, at }: Event): StockChange | undefined {
  switch (type) {
    case 'order.paid':
      return { type: 'sold', products: payload.items.map(stockOnly), at }
    case 'order.refunded':
      return { type: 'returned', products: payload.items.map(stockOnly), at }
    case 'product.restocked':
      return { type: 'restocked', products: [stockOnly(payload)], at }
    case 'product.created':
      return { type: 'created', products: [stockAndPrice(payload)], at }
    case 'product.changed':
      return { type: 'changed', products: [stockAndPrice(payload)], at }
    case 'product.removed':
      return { type: 'removed', products: [stockAndPrice(payload)], at }
    default:
      return undefined
  }
}

const stockOnly = ({ productId, stock }: { productId: number; stock: number }) => ({ productId, stock, price: null })

function stockAndPrice({ productId, stock, price }: { productId: number; stock: number; price: number }) {
  return { productId, stock, price }
}
