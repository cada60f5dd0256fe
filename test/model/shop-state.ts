/*
 * The state of the model and the calls that change it. Nothing has an id: users and products have names, and an order is
 * named after its user and its idempotency key.
 */

export const BALANCE_MAX = 1_000_000
export const USERS = ['Ada', 'Ben'] as const
/** In the order of their ids. */
export const PRODUCTS = ['tea', 'mug', 'cup'] as const

export type User = (typeof USERS)[number]
export type Product = (typeof PRODUCTS)[number]
export type Item = { product: Product; quantity: number; price: number }
export type Order = {
  user: User
  items: Item[]
  total: number
  status: 'pending' | 'paid' | 'cancelled' | 'refunded'
  /** The user's balance after the payment. */
  balance?: number
}

export type ShopState = {
  balances: Record<User, number>
  products: Record<Product, { price: number; stock: number; sold: number; removed: boolean }>
  orders: Record<string, Order>
  charges: Record<string, { amount: number; balance: number }>
  restocks: Record<string, number>
}

type CallOf<Type extends string, Fields> = { type: Type } & Fields

/** A procedure call. `key` stands for an idempotency key. */
export type Call =
  | CallOf<'charge', { user: User; amount: number; key: number }>
  | CallOf<'place', { user: User; items: Item[]; key: number }>
  | CallOf<'checkout', { user: User; items: Item[]; key: number }>
  | CallOf<'pay', { user: User; order: string }>
  | CallOf<'cancel', { user: User; order: string }>
  | CallOf<'refund', { order: string }>
  | CallOf<'restock', { product: Product; quantity: number; key: number }>
  | CallOf<'reprice', { product: Product; price: number }>
  | CallOf<'remove', { product: Product }>
  | CallOf<'get balance', { user: User }>
  | CallOf<'get product', { product: Product }>

/** The fields that a call returns, or `{ refused }` with the code and the details of a refusal. */
export type Result = { [field: string]: unknown }

export const MISSING_ORDER = 'a missing order'
export const orderName = ({ user, key }: { user: User; key: number }) => `${user}'s order ${key}`
