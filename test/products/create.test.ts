import { describe, expect, it } from 'vitest'
import { eventsOf } from '../setup/database.ts'
import { expectInvalid, expectRefused } from '../setup/refusals.ts'
import { openShop } from '../setup/shop.ts'

describe('products.create', () => {
  it('adds a product with its stock to a store and writes one event', async () => {
    await using shop = await openShop()
    const admin = await shop.admin()
    const { id: storeId } = await shop.givenStore('Corner')

    const product = await admin.products.create.mutate({ storeId, name: 'Tea', price: 30, stock: 7 })

    const { id: productId } = product
    expect(product).toEqual({
      id: expect.any(Number),
      storeId,
      storeName: 'Corner',
      name: 'Tea',
      price: 30,
      stock: 7,
      salesVolume: 0,
      createdAt: expect.any(Date),
    })
    expect(await shop.client().products.get.query({ productId })).toEqual(product)
    expect(await eventsOf(shop.db)).toEqual([
      {
        type: 'product.created',
        key: `product:${productId}`,
        payload: { productId, name: 'Tea', price: 30, stock: 7 },
      },
    ])
  })

  it('refuses store_not_found and changes nothing', async () => {
    await using shop = await openShop()
    const admin = await shop.admin()

    const product = { storeId: 5, name: 'Tea', price: 30, stock: 7 }
    await expectRefused(shop, () => admin.products.create.mutate(product), 404, { code: 'store_not_found', storeId: 5 })
  })

  it('refuses not_allowed to a user and changes nothing', async () => {
    await using shop = await openShop()
    const { id: storeId } = await shop.givenStore()
    const { client } = await shop.givenUser()

    const product = { storeId, name: 'Tea', price: 30, stock: 7 }
    await expectRefused(shop, () => client.products.create.mutate(product), 403, { code: 'not_allowed' })
  })

  it('accepts the largest price and stock, and 0 for both', async () => {
    await using shop = await openShop()
    const admin = await shop.admin()
    const { id: storeId } = await shop.givenStore()
    const largest = { storeId, name: 'Island', price: 2_147_483_647, stock: 2_147_483_647 }
    const least = { storeId, name: 'Air', price: 0, stock: 0 }

    expect(await admin.products.create.mutate(largest)).toMatchObject(largest)
    expect(await admin.products.create.mutate(least)).toMatchObject(least)
  })

  it.each(['🍵 茶 چای', "Robert'); drop table products;--", '\\" \\\\ %s'])(
    'stores the name %j unchanged',
    async (name) => {
      await using shop = await openShop()
      const { id: productId } = await shop.givenProduct({ name })

      expect(await shop.client().products.get.query({ productId })).toMatchObject({ name })
    },
  )

  it('accepts two products with the same name', async () => {
    await using shop = await openShop()
    const { id: storeId } = await shop.givenStore()
    await shop.givenProduct({ storeId, name: 'Tea' })

    expect(await shop.givenProduct({ storeId, name: 'Tea' })).toMatchObject({ name: 'Tea' })
  })

  it.each([
    { name: '' },
    { name: ' \t' },
    { name: 'n'.repeat(201) },
    { name: 'half a 😀: \ud83d' },
    { price: -1 },
    { price: 0.5 },
    { price: 2 ** 31 },
    { stock: -1 },
    { stock: 2 ** 31 },
  ])('takes no product with %j', async (wrong) => {
    await using shop = await openShop()
    const { id: storeId } = await shop.givenStore()
    const admin = await shop.admin()

    await expectInvalid(shop, () =>
      admin.products.create.mutate({ storeId, name: 'Tea', price: 1, stock: 1, ...wrong }),
    )
  })
})
