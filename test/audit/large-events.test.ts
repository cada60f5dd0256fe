import { audit } from '@pointwise/server'
import { expect, test } from 'vitest'
import { run } from '../setup/database.ts'
import { item, openShop } from '../setup/shop.ts'

const LINES = 50

test('Orders of 50 lines are compared by reading rows, not by searching the payload for each line', async () => {
  await using shop = await openShop()
  const products = await Promise.all(Array.from({ length: LINES }, () => shop.givenProduct({ price: 1, stock: 100 })))
  const user = await shop.givenUser({ points: 10_000 })
  for (let call = 0; call < 5; call++)
    await user.client.orders.checkout.mutate({ items: products.map((each) => item(each)) })
  shop.statements.length = 0
  const { sound, checks } = await audit(shop.db)
  expect(sound).toBe(true)
  expect(checks.find(({ name }) => name === 'offers')?.rows).toBe(5 * LINES)
  expect(shop.statements.filter((sql) => sql.includes('json_'))).toEqual([])
})

test('A payload that is longer than any event is reported and not read in full', async () => {
  await using shop = await openShop()
  const { name } = await shop.givenProduct()
  await run(shop.db, `update events set payload = json_set(payload, '$.name', repeat('x', 2000000))`)
  const { checks } = await audit(shop.db)
  const findings = checks.find(({ name }) => name === 'events')?.findings ?? []
  await run(shop.db, `update events set payload = json_set(payload, '$.name', '${name}')`)
  expect(findings).toHaveLength(1)
  expect(JSON.stringify(findings).length).toBeLessThan(2_000)
})
