import { describe, expect, it } from 'vitest'
import { runConcurrently } from '../setup/refusals.ts'
import { openServers } from '../setup/servers.ts'
import { type GivenUser, item, newKey, openShop } from '../setup/shop.ts'

const PATIENT = { acquireTimeoutMs: 20_000 }

describe('many buyers at once', () => {
  it('500 buyers of 100 pieces: exactly 100 pay', async () => {
    await using shop = await openShop({ database: PATIENT })
    const product = await shop.givenProduct({ price: 10, stock: 100 })
    const buyers = await shop.givenUsers(500, { points: 10 })

    const { answers, refusals } = await runConcurrently(
      buyers.map(
        ({ client }) =>
          () =>
            client.orders.checkout.mutate({ items: [item(product)] }),
      ),
    )

    expect(answers).toHaveLength(100)
    expect(refusals).toEqual({ stock_insufficient: 400 })
    expect(await shop.client().products.get.query({ productId: product.id })).toMatchObject({
      stock: 0,
      salesVolume: 100,
    })
  })

  it('500 buyers of 100 pieces, at four servers: exactly 100 pay', async () => {
    await using shop = await openShop({ database: PATIENT })
    await using servers = openServers(shop)
    const product = await shop.givenProduct({ price: 10, stock: 100 })
    const buyers = await shop.givenUsers(500, { points: 10 })

    const { answers, refusals } = await runConcurrently(
      buyers.map(
        ({ id }) =>
          () =>
            servers.asUser(id).orders.checkout({ items: [item(product)] }),
      ),
    )

    expect(answers).toHaveLength(100)
    expect(refusals).toEqual({ stock_insufficient: 400 })
  })

  it('100 buyers of 20 pieces, who placed before: exactly 20 pay', async () => {
    await using shop = await openShop({ database: PATIENT })
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

  it('pieces that are added while it sells out are sold as well', async () => {
    await using shop = await openShop({ database: PATIENT })
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

  it('400 orders of 2 to 10 products, in shuffled order, at four servers: no caller sees a failure', async () => {
    await using shop = await openShop({ database: PATIENT })
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
        return servers.asUser(id).orders.checkout({ items: some(2 + (n % 9)) })
      }),
    )

    expect(refusals).toEqual({})
    expect(answers).toHaveLength(400)
  })
})
