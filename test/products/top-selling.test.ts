import { describe, expect, it } from 'vitest'
import { item, openShop } from '../setup/shop.ts'

describe('products.topSelling', () => {
  it('ranks products by their sales of all time', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser({ points: 1_000 })
    const few = await shop.givenProduct({ price: 1 })
    const many = await shop.givenProduct({ price: 1 })
    await client.orders.checkout.mutate({ items: [item(few, 2), item(many, 3)] })
    await client.orders.checkout.mutate({ items: [item(many, 4)] })

    const { get, topSelling } = shop.client().products
    expect(await topSelling.query()).toEqual([
      { rank: 1, salesVolume: 7, product: await get.query({ productId: many.id }) },
      { rank: 2, salesVolume: 2, product: await get.query({ productId: few.id }) },
    ])
  })

  it('is empty before the first sale', async () => {
    await using shop = await openShop()
    const product = await shop.givenProduct()
    const { client } = await shop.givenUser({ points: 100 })
    await client.orders.place.mutate({ items: [item(product)] })

    expect(await shop.client().products.topSelling.query()).toEqual([])
  })

  it('returns ten products, and sorts equal sales by ascending id', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()
    const products = await Promise.all(Array.from({ length: 12 }, () => shop.givenProduct({ price: 0 })))
    products.sort((a, b) => a.id - b.id)
    await client.orders.checkout.mutate({
      items: products.map((product, index) => item(product, index === 11 ? 2 : 1)),
    })

    const ranking = await shop.client().products.topSelling.query()

    expect(ranking.map(({ rank }) => rank)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(ranking.map(({ product }) => product.id)).toEqual([products[11], ...products.slice(0, 9)].map((p) => p?.id))
  })

  it('skips removed products, and the next product takes the rank', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()
    const [best, next] = [await shop.givenProduct({ price: 0 }), await shop.givenProduct({ price: 0 })]
    await client.orders.checkout.mutate({ items: [item(best, 2), item(next)] })
    await shop.asAdmin().products.remove({ productId: best.id })

    expect(await shop.client().products.topSelling.query()).toMatchObject([{ rank: 1, product: { id: next.id } }])
  })

  it('skips products whose sales were all refunded', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()
    const product = await shop.givenProduct({ price: 0 })
    const { order } = await client.orders.checkout.mutate({ items: [item(product)] })
    await shop.asAdmin().payments.refund({ orderId: order.id })

    expect(await shop.client().products.topSelling.query()).toEqual([])
  })
})
