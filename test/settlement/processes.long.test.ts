import { createClient } from '@pointwise/client-sdk'
import { expect, test } from 'vitest'
import { JWT_SECRET } from '../setup/configuration.ts'
import { run } from '../setup/database.ts'
import { runConcurrently } from '../setup/refusals.ts'
import { ServerProcess } from '../setup/server-process.ts'
import { item, openShop } from '../setup/shop.ts'

const STOCK = 200
const BUYERS = 60
const TIMES = 5

test('Three server processes that sell one hot product sell exactly its stock', async () => {
  await using shop = await openShop()
  const product = await shop.givenProduct({ price: 1, stock: STOCK })
  const other = await shop.givenProduct({ price: 1, stock: 1_000 })
  const buyers = await shop.givenUsers(BUYERS, { points: 1_000 })
  const env = {
    DATABASE_URL: shop.databaseUrl,
    JWT_SECRET,
    RATE_LIMIT: 'off',
    PORT: '0',
  }
  await using one = new ServerProcess(env)
  await using two = new ServerProcess(env)
  await using three = new ServerProcess(env)
  const urls = await Promise.all([one, two, three].map((server) => server.url()))

  const calls = Array.from({ length: BUYERS * TIMES }, (_, index) => {
    const client = createClient({ url: urls[index % 3] ?? '', token: buyers[index % BUYERS]?.token })
    // Every call orders both products, in alternating sequence.
    const items = index % 2 === 0 ? [item(product), item(other)] : [item(other), item(product)]
    return () => client.orders.checkout.mutate({ items })
  })
  const { answers, refusals } = await runConcurrently(calls)

  // The servers wait for each other in turn, and no lock wait times out.
  for (const { stdout } of [one, two, three]) expect(stdout).not.toMatch(/"reasons":\[[^\]]*1205/)
  expect({ paid: answers.length, refusals }).toEqual({
    paid: STOCK,
    refusals: { stock_insufficient: BUYERS * TIMES - STOCK },
  })
  expect(await run(shop.db, 'select stock from stock order by product_id')).toEqual([
    { stock: 0 },
    { stock: 1_000 - STOCK },
  ])
})
