import superjson from 'superjson'
import { expect } from 'vitest'
import type { Shop } from './shop.ts'
import { type Answer, expectError, json, loggedErrors, send } from './trpc-wire.ts'

const lines = { items: [{ productId: 1, quantity: 1, price: 1 }] }

/** A valid input for each mutation. */
export const VALID: Record<string, object> = {
  'orders.cancel': { orderId: 1 },
  'orders.checkout': lines,
  'orders.place': lines,
  'payments.pay': { orderId: 1 },
  'payments.refund': { orderId: 1 },
  'points.charge': { amount: 1 },
  'products.create': { storeId: 1, name: 'Mug', price: 1, stock: 1 },
  'products.remove': { productId: 1 },
  'products.restock': { productId: 1, quantity: 1 },
  'products.update': { productId: 1, name: 'Mug', price: 1 },
  'stores.create': { name: 'Kitchen' },
  'users.create': { name: 'Ada' },
  'users.remove': { userId: 1 },
}

const ADMINS = /^(products|stores)\.|^payments\.refund$|^users\.(create|remove)$/

/** Sends a mutation as an admin, or as a user who does not exist. If the database were queried for that user, the status would be 401. */
export async function sendAsUnknownUser(shop: Shop, procedure: string, body: string): Promise<Answer> {
  const token = ADMINS.test(procedure) ? await shop.adminToken() : await shop.userToken(999_999)
  return send(shop, `/trpc/${procedure}`, json(body, { authorization: `Bearer ${token}` }))
}

/** Asserts that a mutation with this body is invalid input, executes no statement and is not logged as an error. */
export async function expectInvalidBody(shop: Shop, procedure: string, body: string): Promise<void> {
  shop.statements.length = 0
  const answer = await sendAsUnknownUser(shop, procedure, body)
  const start = body.slice(0, 200)
  expect({ body: start, status: answer.status }).toEqual({ body: start, status: 400 })
  expectError(answer, 400, 'BAD_REQUEST')
  expect({ body: start, statements: shop.statements }).toEqual({ body: start, statements: [] })
  expect(loggedErrors(shop)).toEqual([])
}

export async function expectInvalid(shop: Shop, procedure: string, input: unknown): Promise<void> {
  await expectInvalidBody(shop, procedure, JSON.stringify(superjson.serialize(input)))
}
