import { expect, test } from 'vitest'
import { runConcurrently, untilDecided } from '../setup/refusals.ts'
import { openServers } from '../setup/servers.ts'
import { type GivenUser, item, openShop, PATIENT_LOCKS } from '../setup/shop.ts'

test('500 concurrent checkouts of 100 pieces at four servers: exactly 100 succeed', async () => {
  await using shop = await openShop({ database: PATIENT_LOCKS })
  await using servers = openServers(shop)
  const product = await shop.givenProduct({ price: 10, stock: 100 })
  const buyers = await shop.givenUsers(500, { points: 10 })

  const { answers, refusals } = await runConcurrently(
    buyers.map(
      ({ id }) =>
        () =>
          untilDecided(() => servers.asUser(id).orders.checkout({ items: [item(product)] })),
    ),
  )

  expect(answers).toHaveLength(100)
  expect(refusals).toEqual({ stock_insufficient: 400 })
})

test('400 concurrent checkouts of 2 to 10 products in random order at four servers all succeed', async () => {
  await using shop = await openShop({ database: PATIENT_LOCKS })
  await using servers = openServers(shop)
  const { id: storeId } = await shop.givenStore()
  const products = await Promise.all(
    Array.from({ length: 10 }, () => shop.givenProduct({ storeId, price: 1, stock: 1_000 })),
  )
  const buyers = await shop.givenUsers(40, { points: 1_000 })
  const some = (count: number) =>
    products
      .map((product) => ({ product, at: Math.random() }))
      .toSorted((a, b) => a.at - b.at)
      .slice(0, count)
      .map(({ product }) => item(product))

  const { answers, refusals } = await runConcurrently(
    Array.from({ length: 400 }, (_, n) => () => {
      const { id } = buyers[n % buyers.length] as GivenUser
      const items = some(2 + (n % 9))
      return untilDecided(() => servers.asUser(id).orders.checkout({ items }))
    }),
  )

  expect(refusals).toEqual({})
  expect(answers).toHaveLength(400)
})
