import { describe, expect, it } from 'vitest'
import { eventsOf } from '../setup/database.ts'
import { expectInvalid, expectRefused } from '../setup/refusals.ts'
import { item, openShop } from '../setup/shop.ts'

describe('products.update', () => {
  it('changes name and price and writes one event', async () => {
    await using shop = await openShop()
    const admin = await shop.admin()
    const product = await shop.givenProduct({ name: 'Tea', price: 30, stock: 7 })
    const productId = product.id

    const changed = await admin.products.update.mutate({ productId, name: 'Green tea', price: 35 })

    expect(changed).toEqual({ ...product, name: 'Green tea', price: 35 })
    expect(await shop.client().products.get.query({ productId })).toEqual(changed)
    expect(await eventsOf(shop.db, 'product.changed')).toEqual([
      {
        type: 'product.changed',
        key: `product:${productId}`,
        payload: { productId, name: 'Green tea', price: 35, stock: 7 },
      },
    ])
  })

  it('changes cached rankings of this server at once, without reading them again', async () => {
    await using shop = await openShop({ config: { rankingsTtlSeconds: 3_600 } })
    const admin = await shop.admin()
    const products = [await shop.givenProduct({ price: 5 }), await shop.givenProduct({ price: 5 })]
    const [first, second] = products.map(({ id }) => id)
    const buyer = await shop.givenUser({ points: 1_000 })
    for (const product of products) await buyer.client.orders.checkout.mutate({ items: [item(product)] })
    const rankings = async () => {
      const { topSelling, trending } = shop.client().products
      const entries = [...(await topSelling.query()), ...(await trending.query()).items]
      return entries.map(({ rank, product: { id, price } }) => ({ rank, id, price }))
    }
    const before = [
      { rank: 1, id: first, price: 5 },
      { rank: 2, id: second, price: 5 },
    ]
    expect(await rankings()).toEqual([...before, ...before])
    await admin.products.update.mutate({ productId: second ?? 0, price: 7 })
    const changed = [before[0], { rank: 2, id: second, price: 7 }]
    expect(await rankings()).toEqual([...changed, ...changed])
    shop.statements.length = 0
    await admin.products.remove.mutate({ productId: first ?? 0 })
    const left = { rank: 1, id: second, price: 7 }
    expect(await rankings()).toEqual([left, left])
    expect(shop.statements.filter((sql) => sql.includes('product_sales'))).toEqual([])
  })

  it('refuses product_not_found and changes nothing', async () => {
    await using shop = await openShop()
    const admin = await shop.admin()
    const { id: productId } = await shop.givenProduct()
    await admin.products.remove.mutate({ productId })

    await expectRefused(shop, () => admin.products.update.mutate({ productId, price: 1 }), 404, {
      code: 'product_not_found',
      productId,
    })
  })

  it('refuses not_allowed to a user and changes nothing', async () => {
    await using shop = await openShop()
    const { id: productId } = await shop.givenProduct()
    const { client } = await shop.givenUser()

    await expectRefused(shop, () => client.products.update.mutate({ productId, price: 0 }), 403, {
      code: 'not_allowed',
    })
  })

  it('leaves fields unchanged that are not given', async () => {
    await using shop = await openShop()
    const admin = await shop.admin()
    const product = await shop.givenProduct({ name: 'Tea', price: 30 })
    const productId = product.id

    expect(await admin.products.update.mutate({ productId, price: 0 })).toEqual({ ...product, price: 0 })
    expect(await admin.products.update.mutate({ productId, name: 'Oolong' })).toMatchObject({
      name: 'Oolong',
      price: 0,
    })
    expect(await admin.products.update.mutate({ productId })).toMatchObject({ name: 'Oolong', price: 0 })
  })

  it.each([{ price: -1 }, { price: 1.5 }, { price: 2 ** 31 }, { name: '' }, { name: 'n'.repeat(201) }])(
    'rejects %j as invalid',
    async (wrong) => {
      await using shop = await openShop()
      const { id: productId } = await shop.givenProduct()
      const admin = await shop.admin()

      await expectInvalid(shop, () => admin.products.update.mutate({ productId, ...wrong }))
    },
  )
})
