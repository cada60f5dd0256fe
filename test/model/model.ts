import { isDeepStrictEqual } from 'node:util'
import {
  type Answer,
  type Call,
  type Item,
  LIMIT,
  nameOf,
  type Order,
  PRODUCTS,
  type Product,
  type User,
  type World,
} from './world.ts'

/*
 * The rules of the shop, as plainly as they can be said: no database, no clock, one call after the other.
 */

type Of<What extends Call['does']> = Extract<Call, { does: What }>

class Refused extends Error {
  readonly refusal: Answer

  constructor(code: string, details: Answer) {
    super(code)
    this.refusal = { code, ...details }
  }
}

function refuse(code: string, details: Answer = {}): never {
  throw new Refused(code, details)
}

/** What a call answers, and the world after it. A refused call changes nothing. */
export function apply(before: World, call: Call): { answer: Answer; after: World } {
  const after = structuredClone(before)
  try {
    return { answer: answer(after, 'items' in call ? { ...call, items: sorted(call.items) } : call), after }
  } catch (error) {
    if (error instanceof Refused) return { answer: { refused: error.refusal }, after: before }
    throw error
  }
}

function answer(world: World, call: Call): Answer {
  if (call.does === 'charge') return charge(world, call)
  if (call.does === 'place') return place(world, call)
  if (call.does === 'checkout') return checkout(world, call)
  if (call.does === 'pay') return pay(world, call)
  if (call.does === 'cancel') return cancel(world, call)
  if (call.does === 'refund') return refund(world, call)
  if (call.does === 'look at the balance') return { balance: world.balances[call.user] }
  return changeOrShow(world, call)
}

function charge(world: World, { user, amount, key }: Of<'charge'>): Answer {
  const earlier = world.charges[`${user} ${key}`]
  if (earlier && earlier.amount !== amount) refuse('idempotency_key_reused')
  if (earlier) return { ...earlier, replayed: true }
  const balance = addPoints(world, user, amount)
  world.charges[`${user} ${key}`] = { amount, balance }
  return { amount, balance, replayed: false }
}

function place(world: World, call: Of<'place'>): Answer {
  const name = nameOf(call)
  const earlier = world.orders[name]
  if (earlier && !isDeepStrictEqual(earlier.items, call.items)) refuse('idempotency_key_reused')
  if (earlier) return { ...shown(world, name), replayed: true }
  drawUp(world, call)
  requireStock(world, call.items)
  return { ...shown(world, name), replayed: false }
}

function checkout(world: World, call: Of<'checkout'>): Answer {
  const name = nameOf(call)
  const earlier = world.orders[name]
  if (earlier?.status === 'pending' || earlier?.status === 'cancelled') refuse('idempotency_key_reused')
  if (earlier && !isDeepStrictEqual(earlier.items, call.items)) refuse('idempotency_key_reused')
  const order = earlier ?? drawUp(world, call)
  if (!earlier) sell(world, order)
  return { ...shown(world, name), paid: order.total, balance: order.balance, replayed: earlier !== undefined }
}

function pay(world: World, { user, order: name }: Of<'pay'>): Answer {
  const order = world.orders[name]
  if (order?.user !== user) refuse('order_not_found', { order: name })
  const { status, total } = order
  if (status === 'cancelled' || status === 'refunded') refuse('order_not_payable', { status })
  if (status === 'pending') sell(world, order)
  return { order: name, paid: total, balance: order.balance, replayed: status === 'paid' }
}

function cancel(world: World, { user, order: name }: Of<'cancel'>): Answer {
  const order = world.orders[name]
  if (order?.user !== user) refuse('order_not_found', { order: name })
  if (order.status !== 'pending') refuse('order_not_cancellable', { status: order.status })
  order.status = 'cancelled'
  return shown(world, name)
}

function refund(world: World, { order: name }: Of<'refund'>): Answer {
  const order = world.orders[name] ?? refuse('order_not_found', { order: name })
  const { user, status, total, items } = order
  if (status === 'pending' || status === 'cancelled') refuse('order_not_refundable', { status })
  if (status === 'paid') {
    addPoints(world, user, total)
    for (const { product, quantity } of items) move(world, product, -quantity)
    order.status = 'refunded'
  }
  return { order: name, returned: total, replayed: status === 'refunded' }
}

function changeOrShow(world: World, call: Of<'restock' | 'reprice' | 'remove' | 'look at the product'>): Answer {
  const product = world.products[call.product]
  const isRepeat = call.does === 'restock' && `${call.product} ${call.key}` in world.restocks
  if (product.removed && !isRepeat) refuse('product_not_found', { product: call.product })
  if (call.does === 'restock') restock(world, call)
  if (call.does === 'reprice') product.price = call.price
  if (call.does === 'remove') product.removed = true
  const { removed: _, ...told } = product
  return { product: call.product, ...told }
}

function restock(world: World, { product, quantity, key }: Of<'restock'>): void {
  const earlier = world.restocks[`${product} ${key}`]
  if (earlier === quantity) return
  if (earlier !== undefined) refuse('idempotency_key_reused')
  const { stock } = world.products[product]
  if (stock + quantity < 0) refuse('stock_insufficient', { product, requested: -quantity, available: stock })
  world.products[product].stock += quantity
  world.restocks[`${product} ${key}`] = quantity
}

/** Every product is there before any price is looked at. */
function drawUp(world: World, call: Of<'place' | 'checkout'>): Order {
  const { user, items } = call
  for (const { product } of items) {
    if (world.products[product].removed) refuse('product_not_found', { product })
  }
  for (const { product, price: expected } of items) {
    const actual = world.products[product].price
    if (actual !== expected) refuse('price_changed', { product, expected, actual })
  }
  const total = items.reduce((sum, { price, quantity }) => sum + price * quantity, 0)
  const order: Order = { user, items, total, status: 'pending' }
  world.orders[nameOf(call)] = order
  return order
}

/** Points before stock. */
function sell(world: World, order: Order): void {
  const balance = world.balances[order.user]
  if (balance < order.total) refuse('points_insufficient', { required: order.total, balance })
  requireStock(world, order.items)
  for (const { product, quantity } of order.items) move(world, product, quantity)
  order.status = 'paid'
  order.balance = balance - order.total
  world.balances[order.user] = order.balance
}

function requireStock(world: World, items: Item[]): void {
  for (const { product, quantity: requested } of items) {
    const available = world.products[product].stock
    if (available < requested) refuse('stock_insufficient', { product, requested, available })
  }
}

function move(world: World, product: Product, quantity: number): void {
  world.products[product].stock -= quantity
  world.products[product].sold += quantity
}

function addPoints(world: World, user: User, amount: number): number {
  const balance = world.balances[user]
  if (balance + amount > LIMIT) refuse('points_limit_exceeded', { balance, limit: LIMIT })
  world.balances[user] += amount
  return world.balances[user]
}

/** Of several items that break a rule, the first product's is told. */
const sorted = (items: Item[]) => items.toSorted((a, b) => PRODUCTS.indexOf(a.product) - PRODUCTS.indexOf(b.product))

function shown(world: World, name: string): Answer {
  const { items, total, status } = world.orders[name] ?? refuse('order_not_found', { order: name })
  return { order: name, items, total, status }
}
