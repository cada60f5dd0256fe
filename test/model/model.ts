import { isDeepStrictEqual } from 'node:util'
import {
  BALANCE_MAX,
  type Call,
  type Item,
  type Order,
  orderName,
  PRODUCTS,
  type Product,
  type Result,
  type ShopState,
  type User,
} from './shop-state.ts'

/*
 * The rules of the shop in their simplest form: without a database, a clock or concurrency.
 */

type CallOf<Type extends Call['type']> = Extract<Call, { type: Type }>

class RefusalError extends Error {
  readonly refusal: Result

  constructor(code: string, details: Result) {
    super(code)
    this.refusal = { code, ...details }
  }
}

function refuse(code: string, details: Result = {}): never {
  throw new RefusalError(code, details)
}

/** Returns the result of a call and the state after it. A refused call changes nothing. */
export function apply(before: ShopState, call: Call): { result: Result; after: ShopState } {
  const after = structuredClone(before)
  try {
    return { result: execute(after, 'items' in call ? { ...call, items: sortById(call.items) } : call), after }
  } catch (error) {
    if (error instanceof RefusalError) return { result: { refused: error.refusal }, after: before }
    throw error
  }
}

function execute(state: ShopState, call: Call): Result {
  if (call.type === 'charge') return charge(state, call)
  if (call.type === 'place') return place(state, call)
  if (call.type === 'checkout') return checkout(state, call)
  if (call.type === 'pay') return pay(state, call)
  if (call.type === 'cancel') return cancel(state, call)
  if (call.type === 'refund') return refund(state, call)
  if (call.type === 'get balance') return { balance: state.balances[call.user] }
  return changeOrGetProduct(state, call)
}

function charge(state: ShopState, { user, amount, key }: CallOf<'charge'>): Result {
  const earlier = state.charges[`${user} ${key}`]
  if (earlier && earlier.amount !== amount) refuse('idempotency_key_reused')
  if (earlier) return { ...earlier, replayed: true }
  const balance = addPoints(state, user, amount)
  state.charges[`${user} ${key}`] = { amount, balance }
  return { amount, balance, replayed: false }
}

function place(state: ShopState, call: CallOf<'place'>): Result {
  const name = orderName(call)
  const earlier = state.orders[name]
  if (earlier && !isDeepStrictEqual(earlier.items, call.items)) refuse('idempotency_key_reused')
  if (earlier) return { ...orderResult(state, name), replayed: true }
  createOrder(state, call)
  requireStock(state, call.items)
  return { ...orderResult(state, name), replayed: false }
}

function checkout(state: ShopState, call: CallOf<'checkout'>): Result {
  const name = orderName(call)
  const earlier = state.orders[name]
  if (earlier?.status === 'pending' || earlier?.status === 'cancelled') refuse('idempotency_key_reused')
  if (earlier && !isDeepStrictEqual(earlier.items, call.items)) refuse('idempotency_key_reused')
  const order = earlier ?? createOrder(state, call)
  if (!earlier) payOrder(state, order)
  return { ...orderResult(state, name), paid: order.total, balance: order.balance, replayed: earlier !== undefined }
}

function pay(state: ShopState, { user, order: name }: CallOf<'pay'>): Result {
  const order = state.orders[name]
  if (order?.user !== user) refuse('order_not_found', { order: name })
  const { status, total } = order
  if (status === 'cancelled' || status === 'refunded') refuse('order_not_payable', { status })
  if (status === 'pending') payOrder(state, order)
  return { order: name, paid: total, balance: order.balance, replayed: status === 'paid' }
}

function cancel(state: ShopState, { user, order: name }: CallOf<'cancel'>): Result {
  const order = state.orders[name]
  if (order?.user !== user) refuse('order_not_found', { order: name })
  if (order.status !== 'pending') refuse('order_not_cancellable', { status: order.status })
  order.status = 'cancelled'
  return orderResult(state, name)
}

function refund(state: ShopState, { order: name }: CallOf<'refund'>): Result {
  const order = state.orders[name] ?? refuse('order_not_found', { order: name })
  const { user, status, total, items } = order
  if (status === 'pending' || status === 'cancelled') refuse('order_not_refundable', { status })
  if (status === 'paid') {
    addPoints(state, user, total)
    for (const { product, quantity } of items) moveToSold(state, product, -quantity)
    order.status = 'refunded'
  }
  return { order: name, returned: total, replayed: status === 'refunded' }
}

function changeOrGetProduct(state: ShopState, call: CallOf<'restock' | 'reprice' | 'remove' | 'get product'>): Result {
  const product = state.products[call.product]
  const isRepeat = call.type === 'restock' && `${call.product} ${call.key}` in state.restocks
  if (product.removed && !isRepeat) refuse('product_not_found', { product: call.product })
  if (call.type === 'restock') restock(state, call)
  if (call.type === 'reprice') product.price = call.price
  if (call.type === 'remove') product.removed = true
  const { removed: _, ...fields } = product
  return { product: call.product, ...fields }
}

function restock(state: ShopState, { product, quantity, key }: CallOf<'restock'>): void {
  const earlier = state.restocks[`${product} ${key}`]
  if (earlier === quantity) return
  if (earlier !== undefined) refuse('idempotency_key_reused')
  const { stock } = state.products[product]
  if (stock + quantity < 0) refuse('stock_insufficient', { product, requested: -quantity, available: stock })
  state.products[product].stock += quantity
  state.restocks[`${product} ${key}`] = quantity
}

/** Checks that every product exists before it compares any price. */
function createOrder(state: ShopState, call: CallOf<'place' | 'checkout'>): Order {
  const { user, items } = call
  for (const { product } of items) {
    if (state.products[product].removed) refuse('product_not_found', { product })
  }
  for (const { product, price: expected } of items) {
    const actual = state.products[product].price
    if (actual !== expected) refuse('price_changed', { product, expected, actual })
  }
  const total = items.reduce((sum, { price, quantity }) => sum + price * quantity, 0)
  const order: Order = { user, items, total, status: 'pending' }
  state.orders[orderName(call)] = order
  return order
}

/** Checks points before stock. */
function payOrder(state: ShopState, order: Order): void {
  const balance = state.balances[order.user]
  if (balance < order.total) refuse('points_insufficient', { required: order.total, balance })
  requireStock(state, order.items)
  for (const { product, quantity } of order.items) moveToSold(state, product, quantity)
  order.status = 'paid'
  order.balance = balance - order.total
  state.balances[order.user] = order.balance
}

function requireStock(state: ShopState, items: Item[]): void {
  for (const { product, quantity: requested } of items) {
    const available = state.products[product].stock
    if (available < requested) refuse('stock_insufficient', { product, requested, available })
  }
}

function moveToSold(state: ShopState, product: Product, quantity: number): void {
  state.products[product].stock -= quantity
  state.products[product].sold += quantity
}

function addPoints(state: ShopState, user: User, amount: number): number {
  const balance = state.balances[user]
  if (balance + amount > BALANCE_MAX) refuse('points_limit_exceeded', { balance, limit: BALANCE_MAX })
  state.balances[user] += amount
  return state.balances[user]
}

/** If several items violate a rule, the refusal is about the product with the lowest id. */
const sortById = (items: Item[]) => items.toSorted((a, b) => PRODUCTS.indexOf(a.product) - PRODUCTS.indexOf(b.product))

function orderResult(state: ShopState, name: string): Result {
  const { items, total, status } = state.orders[name] ?? refuse('order_not_found', { order: name })
  return { order: name, items, total, status }
}
