import { expect, test } from 'vitest'
import { runConcurrently } from '../setup/refusals.ts'
import { openServers } from '../setup/servers.ts'
import { item, newKey, openShop, PATIENT_LOCKS } from '../setup/shop.ts'
import { inSuite } from '../setup/suite.ts'

const BUYERS = inSuite(200, 500)

test(`${BUYERS} concurrent checkouts of 100 pieces: exactly 100 succeed, the others are refused with stock_insufficient`, async () => {
  await using shop = await openShop({ database: PATIENT_LOCKS })
  const product = await shop.givenProduct({ price: 10, stock: 100 })
  const buyers = await shop.givenUsers(BUYERS, { points: 10 })

  const { answers, refusals } = await runConcurrently(
    buyers.map(
      ({ client }) =>
        () =>
          client.orders.checkout.mutate({ items: [item(product)] }),
    ),
  )

  expect(answers).toHaveLength(100)
  expect(refusals).toEqual({ stock_insufficient: BUYERS - 100 })
  expect(await shop.client().products.get.query({ productId: product.id })).toMatchObject({
    stock: 0,
    salesVolume: 100,
  })
})

test('100 concurrent payments of orders for 20 pieces: exactly 20 succeed', async () => {
  await using shop = await openShop({ database: PATIENT_LOCKS })
  const product = await shop.givenProduct({ price: 10, stock: 20 })
  const buyers = await shop.givenUsers(100, { points: 10 })
  const orders = await Promise.all(
    buyers.map(async ({ client }) => ({ client, ...(await client.orders.place.mutate({ items: [item(product)] })) })),
  )

  const { answers, refusals } = await runConcurrently(
    orders.map(
      ({ client, id }) =>
        () =>
          client.payments.pay.mutate({ orderId: id }),
    ),
  )

  expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(20)
  expect(refusals).toEqual({ stock_insufficient: 80 })
})

test('Pieces that are restocked during the rush are sold as well', async () => {
  await using shop = await openShop({ database: PATIENT_LOCKS })
  await using servers = openServers(shop)
  const { id: productId, ...product } = await shop.givenProduct({ price: 0, stock: 10 })
  const { id: userId } = await shop.givenUser()
  const buy = () => servers.asUser(userId).orders.checkout({ items: [item({ id: productId, ...product })] })
  const restock = () => servers.asAdmin().products.restock({ productId, quantity: 1, idempotencyKey: newKey() })

  await runConcurrently<unknown>(Array.from({ length: 120 }, (_, n) => (n % 6 === 0 ? restock : buy)))
  const { answers } = await runConcurrently(Array.from({ length: 30 }, () => buy))

  expect(answers.length).toBeLessThan(30)
  expect(await shop.client().products.get.query({ productId })).toMatchObject({ stock: 0, salesVolume: 30 })
})
