import { refusalOf } from '@pointwise/client-sdk'
import { expect, test } from 'vitest'
import { type FaultyShop, openFaultyShop } from '../faults/faulty-shop.ts'
import { holdLocks, run } from '../setup/database.ts'
import { post } from '../setup/raw-http.ts'
import { item, type Product } from '../setup/shop.ts'
import { inOneBatch, statementCount } from './batches.ts'

const INT_MAX = 2_147_483_647

/** Sells a product as if it had been sold so often that one more does not fit the column. */
async function withoutRoom({ direct }: FaultyShop, { id }: Product): Promise<AsyncDisposable> {
  const set = (volume: number) => run(direct, `update products set sales_volume = ${volume} where id = ${id}`)
  await set(INT_MAX)
  return {
    async [Symbol.asyncDispose]() {
      await set(0)
    },
  }
}

async function buyersOf({ shop }: FaultyShop, products: Product[]) {
  const buyers = await shop.givenUsers(products.length, { points: 1_000 })
  return products.map(
    (product, index) => () => shop.asUser(buyers[index]?.id ?? 0).orders.checkout({ items: [item(product)] }),
  )
}

const told = (answers: PromiseSettledResult<{ balance: number }>[]) =>
  answers.map((answer) =>
    answer.status === 'fulfilled'
      ? answer.value.balance
      : (refusalOf(answer.reason)?.code ?? answer.reason.cause.errno),
  )

const OUT_OF_RANGE = 1264

test('a request that no statement can write fails alone; the others of its batch are paid', async () => {
  await using faulty = await openFaultyShop()
  const { shop } = faulty
  const [full, fine] = [await shop.givenProduct(), await shop.givenProduct()]
  const [open, ...calls] = await buyersOf(faulty, [fine, fine, full, fine, full, fine])
  if (!open) throw new Error('Nobody buys.')
  await using _ = await withoutRoom(faulty, full)

  faulty.proxy.queries.length = 0
  const answers = await inOneBatch(faulty, open, calls)

  expect(told(answers)).toEqual([900, OUT_OF_RANGE, 900, OUT_OF_RANGE, 900])
  // The opening batch, the one that failed, and five of one request each.
  expect(statementCount(faulty, 'begin')).toBe(7)
  const stock = await run(faulty.direct, 'select product_id as id, stock from stock order by id')
  expect(stock).toEqual([
    { id: full.id, stock: 10 },
    { id: fine.id, stock: 6 },
  ])
})

test('it is a fault of ours, opaque to its caller, and logged once', async () => {
  await using faulty = await openFaultyShop()
  const { shop } = faulty
  const full = await shop.givenProduct()
  const { token } = await shop.givenUser({ points: 100 })
  await using _ = await withoutRoom(faulty, full)

  const { status, text } = await post(shop, 'orders.checkout', { token, input: { items: [item(full)] } })

  expect(status).toBe(500)
  expect(JSON.parse(text).error.json).toMatchObject({ data: { refusal: null, outcome: null } })
  expect(text).not.toMatch(/range|sales_volume/i)
  const errors = shop.log.map((line) => JSON.parse(line)).filter(({ level }) => level >= 50)
  expect(errors).toHaveLength(1)
  expect(errors[0]).toMatchObject({ msg: 'call failed', path: 'orders.checkout', err: { errno: OUT_OF_RANGE } })
})

test('it fails alone as well while somebody else keeps a row locked that a third one needs', async () => {
  await using faulty = await openFaultyShop()
  const { shop } = faulty
  const [full, fine, locked] = [await shop.givenProduct(), await shop.givenProduct(), await shop.givenProduct()]
  const [open, ...calls] = await buyersOf(faulty, [fine, fine, full, locked, fine])
  if (!open) throw new Error('Nobody buys.')
  await using _full = await withoutRoom(faulty, full)
  await using _locked = await holdLocks(
    shop.databaseUrl,
    `select * from stock where product_id = ${locked.id} for update`,
  )

  const answers = await inOneBatch(faulty, open, calls)

  expect(told(answers)).toEqual([900, OUT_OF_RANGE, 'service_busy', 900])
})
