import { refusalOf } from '@pointwise/client-sdk'
import { CommitUnknownError } from '@pointwise/db'
import { describe, expect, test } from 'vitest'
import { openFaultyShop } from '../faults/faulty-shop.ts'
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

  test.each(['disconnect before', 'disconnect after'] as const)(
    'when the answer of COMMIT is lost: %s',
    async (fault) => {
      await using batch = await mixedBatch(fault)
      expect(batch.outcomes).toEqual(EXPECTED)
      expect(statementCount(batch.faulty, 'commit')).toBe(3)
      expect(await payments(batch.faulty.direct)).toBe(5)
    },
  )
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

test('A row that another transaction locks before the batch is read back leaves the outcome unknown instead of service_busy', async () => {
  await using faulty = await openFaultyShop()
  const { shop, proxy } = faulty
  const product = await shop.givenProduct()
  const { client } = await shop.givenUser({ points: 500 })
  const { id: orderId } = await client.orders.place.mutate({ items: [item(product)] })
  proxy.queries.length = 0
  proxy.inject('disconnect before', COMMIT)
  const locked = Promise.withResolvers<void>()
  let begun = 0
  proxy.inject({ until: locked.promise }, (statement) => statement === 'begin' && ++begun === 2)
  const paying = shop.asUser((await client.users.me.query()).id).payments.pay({ orderId })
  const failed = paying.catch((error) => error)
  await eventually(() => statementCount(faulty, 'begin')).toBe(2)
  {
    await using _ = await holdLocks(shop.databaseUrl, `select * from stock where product_id = ${product.id} for update`)
    locked.resolve()
    expect((await failed).cause).toBeInstanceOf(CommitUnknownError)
  }
  expect(await client.payments.pay.mutate({ orderId })).toMatchObject({ replayed: false, balance: 400 })
})
