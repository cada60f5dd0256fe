import { describe, expect, it } from 'vitest'
import { eventsOf } from '../setup/database.ts'
import { expectRefused } from '../setup/refusals.ts'
import { item, openShop } from '../setup/shop.ts'

describe('products.remove', () => {
  it('removes a product and writes one event', async () => {
    await using shop = await openShop()
    const admin = await shop.admin()
    const product = await shop.givenProduct({ name: 'Tea', price: 30, stock: 7 })
    const productId = product.id

    expect(await admin.products.remove.mutate({ productId })).toEqual(product)

    expect(await shop.client().products.list.query()).toMatchObject({ items: [] })
    expect(await eventsOf(shop.db, 'product.removed')).toEqual([
      {
        type: 'product.removed',
        key: `product:${productId}`,
        payload: { productId, name: 'Tea', price: 30, stock: 7 },
      },
    ])
  })

  it('refuses product_not_found for a removed product and changes nothing', async () => {
    await using shop = await openShop()
    const admin = await shop.admin()
    const { id: productId } = await shop.givenProduct()
    await admin.products.remove.mutate({ productId })

    await expectRefused(shop, () => admin.products.remove.mutate({ productId }), 404, {
      code: 'product_not_found',
      productId,
    })
  })

  it('refuses not_allowed to a user and changes nothing', async () => {
    await using shop = await openShop()
    const { id: productId } = await shop.givenProduct()
    const { client } = await shop.givenUser()

    await expectRefused(shop, () => client.products.remove.mutate({ productId }), 403, { code: 'not_allowed' })
  })

  it('prevents new orders of the product, but existing orders can be paid', async () => {
    await using shop = await openShop()
    const product = await shop.givenProduct({ price: 30 })
    const { client } = await shop.givenUser({ points: 100 })
    const order = await client.orders.place.mutate({ items: [item(product)] })
    await shop.asAdmin().products.remove({ productId: product.id })

    await expectRefused(shop, () => client.orders.place.mutate({ items: [item(product)] }), 404, {
      code: 'product_not_found',
      productId: product.id,
    })
    expect(await client.payments.pay.mutate({ orderId: order.id })).toMatchObject({ balance: 70 })
  })
})
