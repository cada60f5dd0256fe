import { refusalOf } from '@pointwise/client-sdk'
import { CommitUnknownError } from '@pointwise/db'
import { createCaller } from '@pointwise/server'
import { describe, expect, test } from 'vitest'
import { type FaultyShop, openFaultyShop } from '../faults/faulty-shop.ts'
import { holdLocks, run } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import type { Fault } from '../setup/fault-proxy.ts'
import { item, newKey } from '../setup/shop.ts'
import { inOneBatch, statementCount } from './batches.ts'

const COMMIT = /^commit$/
/** The clock does not advance, so payments cannot be distinguished by their time. */
const now = () => new Date('2026-03-01T08:00:00Z')

/** A batch with every kind of request, and the outcome of each. */
async function mixedBatch(fault?: Fault) {
  const faulty = await openFaultyShop({ now })
  const { shop, proxy } = faulty
  const product = await shop.givenProduct({ price: 100, stock: 50 })
  const [opener, ann, ben, cid, dan] = await Promise.all(
    [100, 500, 500, 50, 300].map((points) => shop.givenUser({ points })),
  )
  if (!opener || !ann || !ben || !cid || !dan) throw new Error('A user is missing.')
  const place = async ({ id }: { id: number }) => (await shop.asUser(id).orders.place({ items: [item(product)] })).id
  const [annsOrder, bensOrder, dansOrder] = [await place(ann), await place(ben), await place(dan)]
  await shop.asUser(ben.id).payments.pay({ orderId: bensOrder })
  const cart = { items: [item(product, 2)], idempotencyKey: newKey() }

  proxy.queries.length = 0
  const answers = await inOneBatch<{ balance: number; replayed: boolean }>(
    faulty,
    () => shop.asUser(opener.id).orders.checkout({ items: [item(product)] }),
    [
      () => shop.asUser(ann.id).payments.pay({ orderId: annsOrder }),
      () => shop.asUser(ann.id).payments.pay({ orderId: annsOrder }),
      () => shop.asUser(ben.id).payments.pay({ orderId: bensOrder }),
      () => shop.asUser(ben.id).orders.checkout(cart),
      () => shop.asUser(ben.id).orders.checkout(cart),
      () => shop.asUser(cid.id).orders.checkout({ items: [item(product)] }),
      () => shop.asUser(dan.id).payments.pay({ orderId: dansOrder }),
    ],
    fault && (() => proxy.inject(fault, COMMIT)),
  )
  const outcomes = answers.map((answer) =>
    answer.status === 'fulfilled'
      ? { balance: answer.value.balance, replayed: answer.value.replayed }
      : (refusalOf(answer.reason)?.code ??
        (answer.reason.cause instanceof CommitUnknownError ? 'unknown' : answer.reason)),
  )
  return { faulty, outcomes, [Symbol.asyncDispose]: () => faulty[Symbol.asyncDispose]() }
}

const EXPECTED = [
  { balance: 400, replayed: false },
  { balance: 400, replayed: true },
  { balance: 400, replayed: true },
  { balance: 200, replayed: false },
  { balance: 200, replayed: true },
  'points_insufficient',
  { balance: 200, replayed: false },
]

const payments = async (direct: Parameters<typeof run>[0]) =>
  (await run<{ n: number }>(direct, 'select count(*) as n from payments'))[0]?.n

describe('Each request of a batch gets its own outcome', () => {
  test('when nothing fails, with two transactions in total', async () => {
    await using batch = await mixedBatch()
    expect(batch.outcomes).toEqual(EXPECTED)
    expect(statementCount(batch.faulty, 'commit')).toBe(2)
    expect(await payments(batch.faulty.direct)).toBe(5)
  })

  test.each([
    ['disconnect before', 'the first batch, the lost one, the one that reads it back and the repeated one', 4],
    ['disconnect after', 'the first batch, the lost one and the one that reads it back', 3],
  ] as const)('when the answer of COMMIT is lost: %s, with the transactions of %s', async (fault, _, commits) => {
    await using batch = await mixedBatch(fault)
    expect(batch.outcomes).toEqual(EXPECTED)
    expect(statementCount(batch.faulty, 'commit')).toBe(commits)
    expect(await payments(batch.faulty.direct)).toBe(5)
  })
})

test.each([
  ['disable before', 2],
  ['disable after', 5],
] as const)(
  'The outcome is unknown to every request of a batch while the database stays unreachable: %s',
  async (fault, paid) => {
    await using batch = await mixedBatch(fault)
    expect(batch.outcomes).toEqual(EXPECTED.map(() => 'unknown'))
    expect(await payments(batch.faulty.direct)).toBe(paid)
  },
)

/** Starts a call whose COMMIT is lost, and runs `meanwhile` before the server reads back whether it took effect. */
async function callWithLostCommit<T>(
  { proxy }: FaultyShop,
  fault: Fault,
  call: () => Promise<T>,
  meanwhile: () => Promise<unknown>,
): Promise<T> {
  proxy.queries.length = 0
  proxy.inject(fault, COMMIT)
  const done = Promise.withResolvers<void>()
  let begun = 0
  const paused = proxy.inject({ until: done.promise }, (statement) => statement === 'begin' && ++begun === 2)
  const answer = call()
  await eventually(paused).toBe(1)
  try {
    await meanwhile()
  } finally {
    done.resolve()
  }
  return answer
}

/** A user with a pending order of 100 points, which is all that the user has, and the calls of another server. */
async function givenOrder({ shop, direct }: FaultyShop) {
  const product = await shop.givenProduct({ price: 100, stock: 1 })
  const { id: userId } = await shop.givenUser({ points: 100 })
  const { id: orderId } = await shop.asUser(userId).orders.place({ items: [item(product)] })
  return {
    calls: {
      pay: () => shop.asUser(userId).payments.pay({ orderId }),
      checkout: () => shop.asUser(userId).orders.checkout({ items: [item(product)] }),
    },
    other: { admin: createCaller({ db: direct, admin: true, now }), user: createCaller({ db: direct, userId, now }) },
    userId,
    product,
    orderId,
  }
}

type Given = Awaited<ReturnType<typeof givenOrder>>

/** What another server changes meanwhile, and what a payment and a checkout that come after it are answered. */
const CHANGES: Record<string, { change: (given: Given) => Promise<unknown>; pay: string; checkout: string }> = {
  'the user was removed': {
    change: ({ other, userId }) => other.admin.users.remove({ userId }),
    pay: 'user_not_found',
    checkout: 'user_not_found',
  },
  'the product was removed': {
    change: ({ other, product }) => other.admin.products.remove({ productId: product.id }),
    pay: 'paid',
    checkout: 'product_not_found',
  },
  'the price was changed': {
    change: ({ other, product }) => other.admin.products.update({ productId: product.id, price: 101 }),
    pay: 'paid',
    checkout: 'price_changed',
  },
  'the stock was taken away': {
    change: async ({ other, product: { id: productId } }) => {
      const { stock } = await other.admin.products.get({ productId })
      if (stock > 0) await other.admin.products.restock({ productId, quantity: -stock })
    },
    pay: 'stock_insufficient',
    checkout: 'stock_insufficient',
  },
  'the points were spent': {
    change: async ({ other, product: { storeId } }) => {
      const mug = await other.admin.products.create({ storeId, name: newKey(), price: 1, stock: 1 })
      const { balance } = await other.user.points.balance()
      if (balance > 0) await other.user.orders.checkout({ items: [item(mug)] })
    },
    pay: 'points_insufficient',
    checkout: 'points_insufficient',
  },
}

const HUNDRED = 'select count(*) as n from payments where amount = 100'

describe.each(Object.entries(CHANGES))(
  'A COMMIT whose answer was lost, after which %s,',
  (_, { change, ...answers }) => {
    test.each(['pay', 'checkout'] as const)('is answered as paid if it took effect: %s', async (kind) => {
      await using faulty = await openFaultyShop({ now })
      const given = await givenOrder(faulty)
      const answer = await callWithLostCommit(faulty, 'disconnect after', given.calls[kind], () => change(given))
      expect(answer).toMatchObject({ balance: 0, replayed: false, payment: { amount: 100 } })
      expect(await run(faulty.direct, HUNDRED)).toEqual([{ n: 1 }])
    })

    test.each(['pay', 'checkout'] as const)('is decided again if it was rolled back: %s', async (kind) => {
      await using faulty = await openFaultyShop({ now })
      const given = await givenOrder(faulty)
      const answer = callWithLostCommit(faulty, 'disconnect before', given.calls[kind], () => change(given))
      const code = await answer.then(
        () => 'paid',
        (error) => refusalOf(error)?.code ?? error,
      )
      expect(code).toBe(answers[kind])
      expect(await run(faulty.direct, HUNDRED)).toEqual([{ n: code === 'paid' ? 1 : 0 }])
    })
  },
)

test('A payment that was refunded before it is read back is answered as paid', async () => {
  await using faulty = await openFaultyShop({ now })
  const { calls, other, orderId } = await givenOrder(faulty)
  const refund = () => other.admin.payments.refund({ orderId })
  const answer = await callWithLostCommit(faulty, 'disconnect after', calls.pay, refund)
  expect(answer).toMatchObject({ balance: 0, replayed: false })
})

test('A payment that was rolled back and then made by another server is replayed', async () => {
  await using faulty = await openFaultyShop({ now })
  const { calls, other, orderId } = await givenOrder(faulty)
  const chargeAndPay = async () => {
    await other.user.points.charge({ amount: 1 })
    await other.user.payments.pay({ orderId })
  }
  const answer = await callWithLostCommit(faulty, 'disconnect before', calls.pay, chargeAndPay)
  expect(answer).toMatchObject({ balance: 1, replayed: true })
})

test('While another transaction has the wallet locked, the outcome is unknown instead of service_busy', async () => {
  await using faulty = await openFaultyShop()
  const { calls, userId } = await givenOrder(faulty)
  const locked = Promise.withResolvers<AsyncDisposable>()
  const lockWallet = async () =>
    locked.resolve(
      await holdLocks(faulty.shop.databaseUrl, `select * from points where user_id = ${userId} for update`),
    )
  const failed = await callWithLostCommit(faulty, 'disconnect before', calls.pay, lockWallet).catch((error) => error)
  await (await locked.promise)[Symbol.asyncDispose]()
  expect(failed.cause).toBeInstanceOf(CommitUnknownError)
  expect(await calls.pay()).toMatchObject({ replayed: false, balance: 0 })
})
