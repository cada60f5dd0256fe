import { refusalOf } from '@pointwise/client-sdk'
import { expect, test } from 'vitest'
import { type FaultyShop, openFaultyShop } from '../faults/faulty-shop.ts'
import { holdLocks, run } from '../setup/database.ts'
import { post } from '../setup/raw-http.ts'
import { item, type Product } from '../setup/shop.ts'
import { inOneBatch, statementCount } from './batches.ts'

const BIGINT_MAX = 9_223_372_036_854_775_807n

/** Sets the sales volume of a product so high that one more sale does not fit the column. */
async function fillSalesVolume({ direct }: FaultyShop, { id }: Product): Promise<AsyncDisposable> {
  const set = (volume: bigint) => run(direct, `update products set sales_volume = ${volume} where id = ${id}`)
  await set(BIGINT_MAX)
  return {
    async [Symbol.asyncDispose]() {
      await set(0n)
    },
  }
}

async function buyersOf({ shop }: FaultyShop, products: Product[]) {
  const buyers = await shop.givenUsers(products.length, { points: 1_000 })
  return products.map(
    (product, index) => () => shop.asUser(buyers[index]?.id ?? 0).orders.checkout({ items: [item(product)] }),
  )
}

const summaryOfResults = (answers: PromiseSettledResult<{ balance: number }>[]) =>
  answers.map((answer) =>
    answer.status === 'fulfilled'
      ? answer.value.balance
      : (refusalOf(answer.reason)?.code ?? answer.reason.cause.errno),
  )

const OUT_OF_RANGE = 1690

test('A request that cannot be written fails alone, and the other requests of its batch are paid', async () => {
  await using faulty = await openFaultyShop()
  const { shop } = faulty
  const [full, fine] = [await shop.givenProduct(), await shop.givenProduct()]
  const [open, ...calls] = await buyersOf(faulty, [fine, fine, full, fine, full, fine])
  if (!open) throw new Error('There are no calls.')
  await using _ = await fillSalesVolume(faulty, full)

  faulty.proxy.queries.length = 0
  const answers = await inOneBatch(faulty, open, calls)

  expect(summaryOfResults(answers)).toEqual([900, OUT_OF_RANGE, 900, OUT_OF_RANGE, 900])
  // The first batch, the batch that failed, and five batches of one request each.
  expect(statementCount(faulty, 'begin')).toBe(7)
  const stock = await run(faulty.direct, 'select product_id as id, stock from stock order by id')
  expect(stock).toEqual([
    { id: full.id, stock: 10 },
    { id: fine.id, stock: 6 },
  ])
})

test('A request that cannot be written is a fault: opaque to its caller and logged once', async () => {
  await using faulty = await openFaultyShop()
  const { shop } = faulty
  const full = await shop.givenProduct()
  const { token } = await shop.givenUser({ points: 100 })
  await using _ = await fillSalesVolume(faulty, full)

  const { status, text } = await post(shop, 'orders.checkout', { token, input: { items: [item(full)] } })

  expect(status).toBe(500)
  expect(JSON.parse(text).error.json).toMatchObject({ data: { refusal: null, outcome: null } })
  expect(text).not.toMatch(/range|sales_volume/i)
  const errors = shop.log.map((line) => JSON.parse(line)).filter(({ level }) => level >= 50)
  expect(errors).toHaveLength(1)
  expect(errors[0]).toMatchObject({ msg: 'call failed', path: 'orders.checkout', err: { errno: OUT_OF_RANGE } })
})

test('A request that cannot be written fails alone while another transaction locks a row of a third request', async () => {
  await using faulty = await openFaultyShop()
  const { shop } = faulty
  const [full, fine, locked] = [await shop.givenProduct(), await shop.givenProduct(), await shop.givenProduct()]
  const [open, ...calls] = await buyersOf(faulty, [fine, fine, full, locked, fine])
  if (!open) throw new Error('There are no calls.')
  await using _full = await fillSalesVolume(faulty, full)
  await using _locked = await holdLocks(
    shop.databaseUrl,
    `select * from stock where product_id = ${locked.id} for update`,
  )

  const answers = await inOneBatch(faulty, open, calls)

  expect(summaryOfResults(answers)).toEqual([900, OUT_OF_RANGE, 'service_busy', 900])
})
