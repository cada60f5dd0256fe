import { expect, test } from 'vitest'
import { holdLocks } from '../setup/database.ts'
import { expectWithin } from '../setup/deadline.ts'
import { post } from '../setup/raw-http.ts'
import { type GivenUser, item, newKey, openShop, type Product, type Shop } from '../setup/shop.ts'

const LOCK_WAIT_MS = 1_000
/** InnoDB checks once a second which lock waits took too long. */
const LOCK_WAIT_MAX_MS = LOCK_WAIT_MS + 1_000
const WORK_MS = 1_000
const LOCK_WAIT = 1205
const BUYERS = 8

/** All sales are in this hour, so the row of the hour exists. */
const now = () => new Date('2026-03-01T08:30:00Z')

interface Target {
  shop: Shop
  product: Product
  user: GivenUser
  orderId: number
}

/** The row that another transaction locks, and which requests need it. */
const ROWS: [what: string, statement: (target: Target) => string, neededBy: 'product' | 'user' | 'order'][] = [
  ['the stock of a product', ({ product }) => `select * from stock where product_id = ${product.id}`, 'product'],
  ['a product', ({ product }) => `select * from products where id = ${product.id}`, 'product'],
  [
    'what a product sold in an hour',
    ({ product }) => `select * from product_sales where product_id = ${product.id}`,
    'product',
  ],
  ['a wallet', ({ user }) => `select * from points where user_id = ${user.id}`, 'user'],
  ['a user', ({ user }) => `select * from users where id = ${user.id}`, 'user'],
  ['an order', ({ orderId }) => `select * from orders where id = ${orderId}`, 'order'],
]

async function place({ client }: GivenUser, product: Product): Promise<number> {
  return (await client.orders.place.mutate({ items: [item(product)] })).id
}

/** The highest number of lock wait timeouts in one call. */
function lockWaits({ log }: Shop): number {
  const reasons = log.map((line): unknown[] => JSON.parse(line).reasons ?? [])
  return Math.max(...reasons.map((each) => each.filter((reason) => reason === LOCK_WAIT).length))
}

async function timed(call: ReturnType<typeof post>) {
  const startedAt = performance.now()
  const { status, refusal } = await call
  return { ms: performance.now() - startedAt, status, code: (refusal as { code: string } | undefined)?.code }
}

test.each(ROWS)(
  'While another transaction keeps %s locked, requests that need it are refused with service_busy, and other requests succeed',
  async (_, lock, neededBy) => {
    await using shop = await openShop({ now })
    const given = () => shop.givenProduct({ price: 1, stock: 1_000 })
    const [product, other, third] = [await given(), await given(), await given()]
    const [user, ...others] = await shop.givenUsers(BUYERS + 1, { points: 10_000 })
    if (!user) throw new Error('There is no user.')
    for (const each of [product, other, third]) await user.client.orders.checkout.mutate({ items: [item(each)] })
    const target = { shop, product, user, orderId: await place(user, product) }

    const pay = async (buyer: GivenUser, orderId: number) =>
      timed(post(shop, 'payments.pay', { token: buyer.token, input: { orderId } }))
    const checkout = (buyer: GivenUser, ordered: Product) =>
      timed(
        post(shop, 'orders.checkout', {
          token: buyer.token,
          input: { items: [item(ordered), item(third)].slice(0, ordered === other ? 2 : 1), idempotencyKey: newKey() },
        }),
      )

    /** Concurrent calls: some need the locked row, the others do not. */
    async function round() {
      const ordered = await Promise.all(others.map((buyer) => place(buyer, other)))
      const needing = {
        product: () => others.slice(0, 4).map((buyer) => checkout(buyer, product)),
        user: () => [checkout(user as GivenUser, other), checkout(user as GivenUser, third)],
        order: () => [pay(user as GivenUser, target.orderId)],
      }[neededBy]
      const [refused, served] = [
        needing(),
        others.flatMap((buyer, index) => [pay(buyer, ordered[index] ?? 0), checkout(buyer, other)]),
      ]
      return { refused: await Promise.all(refused), served: await Promise.all(served) }
    }
    const slowest = (answers: { ms: number }[]) => Math.max(...answers.map(({ ms }) => ms))
    const codes = (answers: { status: number; code?: string | undefined }[]) => [
      ...new Set(answers.map(({ status, code }) => code ?? status)),
    ]

    {
      await using _ = await holdLocks(shop.databaseUrl, `${lock(target)} for update`)
      const first = await round()
      expect(codes(first.refused)).toEqual(['service_busy'])
      expect(codes(first.served)).toEqual([200])
      expectWithin(slowest([...first.refused, ...first.served]), LOCK_WAIT_MAX_MS + WORK_MS)
      expect(lockWaits(shop)).toBe(1)
      for (const _ of ['second', 'third', 'fourth']) {
        shop.log.length = 0
        const { refused, served } = await round()
        expect(codes(refused)).toEqual(['service_busy'])
        expect(codes(served)).toEqual([200])
        expectWithin(slowest([...refused, ...served]), LOCK_WAIT_MS)
        expect(lockWaits(shop)).toBe(0)
      }
    }
    const { refused, served } = await round()
    expect(codes([...refused, ...served])).toEqual([200])
    expectWithin(slowest([...refused, ...served]), LOCK_WAIT_MS)
  },
)
