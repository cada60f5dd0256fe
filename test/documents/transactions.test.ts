import { readFileSync } from 'node:fs'
import { connect, type Pool } from '@pointwise/db'
import { appRouter, createCaller } from '@pointwise/server'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { emptyDatabase } from '../setup/database.ts'
import { newKey } from '../setup/shop.ts'
import { describeStatement } from '../setup/statement-kinds.ts'
import { splitStatements } from '../setup/statements.ts'

const LOCK_ORDER = ['orders', 'points', 'stock', 'products', 'product_sales']
const ARROW = ' → '

let db: Pool
/** The statements of each transaction, of the first call and of its repeat. */
const sent = new Map<string, string[]>()

/** Calls a procedure and records a description of each statement between BEGIN and COMMIT. */
async function record<T>(procedure: string, call: () => Promise<T>): Promise<T> {
  statements.length = 0
  const answer = await call()
  const [from, to] = [statements.indexOf('begin'), statements.indexOf('commit')]
  const descriptions = statements.slice(from + 1, to).map(describeStatement)
  sent.set(procedure, [...(sent.get(procedure) ?? []), descriptions.join(ARROW)])
  return answer
}
const statements: string[] = []

beforeAll(async () => {
  const { db: setup, url } = await emptyDatabase()
  await setup.destroy()
  db = connect(url, { log: (event) => statements.push(...splitStatements(event).map(({ sql }) => sql)) })
  const admin = createCaller({ db, admin: true })
  const { id: userId } = await record('users.create', () => admin.users.create({ name: 'Ada' }))
  const { id: otherId } = await admin.users.create({ name: 'Ben' })
  await record('users.remove', () => admin.users.remove({ userId: otherId }))
  const { id: storeId } = await record('stores.create', () => admin.stores.create({ name: 'Kitchen' }))
  const product = { storeId, name: 'Mug', price: 10, stock: 99 }
  const { id: productId } = await record('products.create', () => admin.products.create(product))
  const { id: oldId } = await admin.products.create(product)
  await record('products.update', () => admin.products.update({ productId: oldId, price: 11 }))
  await record('products.remove', () => admin.products.remove({ productId: oldId }))

  const user = createCaller({ db, userId })
  const order = () => ({ items: [{ productId, quantity: 1, price: 10 }], idempotencyKey: newKey() })
  const [restock, charge, first, second] = [
    { productId, quantity: 5, idempotencyKey: newKey() },
    { amount: 500, idempotencyKey: newKey() },
    order(),
    order(),
  ]
  for (const _ of ['the first time', 'repeated']) {
    await record('products.restock', () => admin.products.restock(restock))
    await record('points.charge', () => user.points.charge(charge))
    await record('orders.place', () => user.orders.place(first))
    await record('orders.checkout', () => user.orders.checkout(second))
  }
  const { id: orderId } = await user.orders.place(order())
  for (const _ of ['the first time', 'repeated']) await record('payments.pay', () => user.payments.pay({ orderId }))
  for (const _ of ['the first time', 'repeated'])
    await record('payments.refund', () => admin.payments.refund({ orderId }))
  const { id: cancelledId } = await user.orders.place(order())
  await record('orders.cancel', () => user.orders.cancel({ orderId: cancelledId }))
})
afterAll(() => db.destroy())

const page = readFileSync(new URL('../../docs/transactions.md', import.meta.url), 'utf8')
const documented = new Map(
  [...page.matchAll(/^\| `(?<name>\w+\.\w+)` \| (?<first>.+?) \| (?<repeated>.+?) \|$/gm)].map(
    ({ groups: { name = '', first = '', repeated = '' } = {} }) => [name, { first, repeated }] as const,
  ),
)

test('docs/transactions.md lists every mutation', () => {
  const procedures = appRouter._def.procedures as unknown as Record<string, { _def: { type: string } }>
  const mutations = Object.keys(procedures).filter((path) => procedures[path]?._def.type === 'mutation')
  expect([...documented.keys()].toSorted()).toEqual(mutations.toSorted())
})

describe('docs/transactions.md lists the statements, in order, of', () => {
  for (const [procedure, { first, repeated }] of documented) {
    test(procedure, () => {
      const [sentFirst, sentAgain] = sent.get(procedure) ?? []
      expect(sentFirst).toBe(first)
      if (repeated.includes('`')) expect(sentAgain).toBe(repeated)
    })
  }
})

describe('Locks are taken in the documented order by', () => {
  for (const procedure of documented.keys()) {
    test(procedure, () => {
      const own = new Set<string>()
      const locked: string[] = []
      for (const description of sent.get(procedure)?.[0]?.split(ARROW) ?? []) {
        const [, verb, table = ''] = /^([a-z ]+) `(\w+)`/.exec(description) ?? []
        if (verb === 'insert') own.add(table)
        else if (verb && verb !== 'read' && !own.has(table) && !locked.includes(table)) locked.push(table)
      }
      expect(locked.filter((table) => LOCK_ORDER.includes(table))).toEqual(
        LOCK_ORDER.filter((table) => locked.includes(table)),
      )
    })
  }
})
