import { refusalOf } from '@pointwise/client-sdk'
import { expect, test } from 'vitest'
import { type FaultyShop, openFaultyShop } from '../faults/faulty-shop.ts'
import { item, newKey, type Product } from '../setup/shop.ts'
import { holdCommit, statementCount } from './batches.ts'

const WAITING_MAX = 4_096
const WAIT_MAX_MS = 3_000
const BATCH_MAX = 256

/** Calls the queue directly, as the router does. */
async function checkoutsIn({ shop }: FaultyShop, product: Product, points: number) {
  const { id: userId } = await shop.givenUser({ points })
  return () =>
    shop.app.settlement.settle({
      kind: 'checkout',
      userId,
      items: [item(product)],
      idempotencyKey: newKey(),
      now: new Date(),
    })
}

const codeOf = (promise: Promise<unknown>) => promise.catch((error) => error.refusal?.code ?? error)

test('An idle queue settles a request at once, without waiting for a second one', async () => {
  await using faulty = await openFaultyShop()
  const product = await faulty.shop.givenProduct()
  const checkout = await checkoutsIn(faulty, product, 1_000)
  faulty.proxy.queries.length = 0
  await Promise.all([checkout(), checkout(), checkout()])
  // The first request is a batch of its own, and the two that arrived meanwhile are one batch.
  expect(statementCount(faulty, 'commit')).toBe(2)
  await checkout()
  expect(statementCount(faulty, 'commit')).toBe(3)
})

test('Waiting requests are settled in order of arrival, in batches of bounded size', async () => {
  await using faulty = await openFaultyShop()
  const product = await faulty.shop.givenProduct({ price: 1, stock: 1_000 })
  const checkout = await checkoutsIn(faulty, product, 1_000)
  faulty.proxy.queries.length = 0
  using batch = await holdCommit(faulty, checkout)
  const gathered = Array.from({ length: BATCH_MAX + 1 }, checkout)
  await batch.finish()
  const balances = (await Promise.all(gathered)).map(({ balance }) => balance)
  expect(balances).toEqual(Array.from({ length: BATCH_MAX + 1 }, (_, index) => 998 - index))
  expect(statementCount(faulty, 'commit')).toBe(3)
})

const LARGE_LINES_MAX = 768
const LINES = 50

/** Users who buy many products each: with a checkout, or with a payment of an order that they have placed. */
async function largeCallsOf({ shop }: FaultyShop, kind: 'pay' | 'checkout', count: number) {
  const { id: storeId } = await shop.givenStore()
  const products = await Promise.all(
    Array.from({ length: LINES }, () => shop.givenProduct({ storeId, price: 1, stock: 1_000 })),
  )
  const cart = () => ({ items: products.map((product) => item(product)), idempotencyKey: newKey() })
  const users = await shop.givenUsers(count, { points: 1_000 })
  return Promise.all(
    users.map(async ({ id: userId }) => {
      const now = new Date()
      if (kind === 'checkout') return () => shop.app.settlement.settle({ kind, userId, ...cart(), now })
      const { id: orderId } = await shop.asUser(userId).orders.place(cart())
      return () => shop.app.settlement.settle({ kind, userId, orderId, now })
    }),
  )
}

const INSERTED = /^insert into `payments`/

test.each(['checkout', 'pay'] as const)(
  'Large requests take at most 768 order lines of a batch, in order of arrival, and the others do not wait for the rest: %s',
  async (kind) => {
    await using faulty = await openFaultyShop()
    const product = await faulty.shop.givenProduct({ price: 1 })
    const checkout = await checkoutsIn(faulty, product, 10)
    const perBatch = Math.floor(LARGE_LINES_MAX / LINES)
    const large = await largeCallsOf(faulty, kind, 2 * perBatch + 1)
    faulty.proxy.queries.length = 0
    using first = await holdCommit(faulty, checkout)
    const done: string[] = []
    const gathered = [
      ...large.map((call, index) => call().then(() => done.push(`large ${index}`))),
      checkout().then(() => done.push('small')),
    ]
    await first.finish()
    await Promise.all(gathered)

    const names = large.map((_, index) => `large ${index}`)
    expect(done).toEqual([...names.slice(0, perBatch), 'small', ...names.slice(perBatch)])
    const inserts = faulty.proxy.queries.flat().filter((statement) => INSERTED.test(statement))
    expect(inserts.map((statement) => statement.split('), (').length)).toEqual([1, perBatch + 1, perBatch, 1])
  },
)

test('A request for a product of a large request that waits does not overtake it', async () => {
  await using faulty = await openFaultyShop()
  const product = await faulty.shop.givenProduct({ price: 1 })
  const checkout = await checkoutsIn(faulty, product, 10)
  const perBatch = Math.floor(LARGE_LINES_MAX / LINES)
  const large = await largeCallsOf(faulty, 'checkout', perBatch + 1)
  const { items } = await faulty.shop.client().products.list.query()
  const shared = items.find(({ id }) => id !== product.id)
  if (!shared) throw new Error('There is no product.')
  const behind = await checkoutsIn(faulty, shared, 10)
  using first = await holdCommit(faulty, checkout)
  const done: string[] = []
  const gathered = [...large, behind, checkout].map((call, index) => call().then(() => done.push(String(index))))
  await first.finish()
  await Promise.all(gathered)
  const last = perBatch + 2
  expect(done.slice(-3)).toEqual([String(last), String(last - 2), String(last - 1)])
})

test('A full queue refuses service_busy at once, and a request that waits for three seconds is refused', async () => {
  // The COMMIT outlasts the wait on a machine of any speed.
  await using faulty = await openFaultyShop({ database: { statementTimeoutMs: 120_000 } })
  const { shop } = faulty
  const product = await shop.givenProduct({ price: 1, stock: 10_000 })
  const checkout = await checkoutsIn(faulty, product, 10_000)
  using batch = await holdCommit(faulty, checkout)
  const startedAt = performance.now()
  const waiting = Array.from({ length: WAITING_MAX }, () => codeOf(checkout()))
  let isExpired = false
  const expired = Promise.race(waiting).then(() => {
    isExpired = true
    return performance.now() - startedAt
  })
  expect({ beyond: await codeOf(checkout()), isExpired }).toEqual({ beyond: 'service_busy', isExpired: false })
  expect(await expired).toBeGreaterThanOrEqual(WAIT_MAX_MS)
  expect(await Promise.all(waiting)).toEqual(Array(WAITING_MAX).fill('service_busy'))

  expect(await batch.finish()).toMatchObject({ balance: 9_999 })
  expect(await checkout()).toMatchObject({ balance: 9_998 })
})

test('A request that timed out in the queue has no effect, and its key can be used again', async () => {
  await using faulty = await openFaultyShop()
  const { shop } = faulty
  const product = await shop.givenProduct({ price: 1 })
  const open = await checkoutsIn(faulty, product, 10)
  const { id } = await shop.givenUser({ points: 10 })
  const cart = { items: [item(product)], idempotencyKey: newKey() }
  using batch = await holdCommit(faulty, open)
  const refused = await shop.asUser(id).orders.checkout(cart).catch(refusalOf)
  await batch.finish()
  expect(refused).toMatchObject({ code: 'service_busy', retry: 'same-key' })
  expect(await shop.asUser(id).orders.checkout(cart)).toMatchObject({ replayed: false, balance: 9 })
})
