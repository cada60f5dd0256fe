/*
 * What the model speaks of. Nothing has an id: users, products and orders go by their names, and an order is named after
 * its customer and the key that it was placed with.
 */

export const LIMIT = 1_000_000
export const USERS = ['Ada', 'Ben'] as const
/** In the sequence of their ids. */
export const PRODUCTS = ['tea', 'mug', 'cup'] as const

export type User = (typeof USERS)[number]
export type Product = (typeof PRODUCTS)[number]
export type Item = { product: Product; quantity: number; price: number }
export type Order = {
  user: User
  items: Item[]
  total: number
  status: 'pending' | 'paid' | 'cancelled' | 'refunded'
  /** Right after it was paid. */
  balance?: number
}

export type World = {
  balances: Record<User, number>
  products: Record<Product, { price: number; stock: number; sold: number; removed: boolean }>
  orders: Record<string, Order>
  charges: Record<string, { amount: number; balance: number }>
  restocks: Record<string, number>
}

type Does<What extends string, Rest> = { does: What } & Rest

export type Call =
  | Does<'charge', { user: User; amount: number; key: number }>
  | Does<'place', { user: User; items: Item[]; key: number }>
  | Does<'checkout', { user: User; items: Item[]; key: number }>
  | Does<'pay', { user: User; order: string }>
  | Does<'cancel', { user: User; order: string }>
  | Does<'refund', { order: string }>
  | Does<'restock', { product: Product; quantity: number; key: number }>
  | Does<'reprice', { product: Product; price: number }>
  | Does<'remove', { product: Product }>
  | Does<'look at the balance', { user: User }>
  | Does<'look at the product', { product: Product }>

export type Answer = { [field: string]: unknown }

export const MISSING_ORDER = 'a missing order'
export const nameOf = ({ user, key }: { user: User; key: number }) => `${user}'s order ${key}`
