import { describe, expect, it } from 'vitest'
import { expectInvalid, expectRefused } from '../setup/refusals.ts'
import { item, openShop } from '../setup/shop.ts'

describe('products.get', () => {
  it('returns every field of a product without a token', async () => {
    await using shop = await openShop()
    const product = await shop.givenProduct({ name: 'Tea', price: 30, stock: 7 })

    expect(await shop.client().products.get.query({ productId: product.id })).toEqual({
      ...product,
      name: 'Tea',
      price: 30,
      stock: 7,
      salesVolume: 0,
      createdAt: expect.any(Date),
    })
  })

  it('refuses product_not_found', async () => {
    await using shop = await openShop()
    const { id } = await shop.givenProduct()

    for (const productId of [id + 1, Number.MAX_SAFE_INTEGER]) {
      await expectRefused(shop, () => shop.client().products.get.query({ productId }), 404, {
        code: 'product_not_found',
        productId,
      })
    }
  })

  it('refuses product_not_found for a removed product', async () => {
    await using shop = await openShop()
    const { id: productId } = await shop.givenProduct()
    await shop.asAdmin().products.remove({ productId })

    await expectRefused(shop, () => shop.client().products.get.query({ productId }), 404, {
      code: 'product_not_found',
      productId,
    })
  })

  it('returns the stock and the sales volume after a sale', async () => {
    await using shop = await openShop()
    const product = await shop.givenProduct({ price: 10, stock: 5 })
    const { client } = await shop.givenUser({ points: 30 })
    await client.orders.checkout.mutate({ items: [item(product, 3)] })

    expect(await client.products.get.query({ productId: product.id })).toMatchObject({ stock: 2, salesVolume: 3 })
  })

  it.each([0, -1, 1.5, 2 ** 53])('rejects the id %s as invalid', async (productId) => {
    await using shop = await openShop()
    await expectInvalid(shop, () => shop.client().products.get.query({ productId }))
  })
})
