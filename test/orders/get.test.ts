import { describe, expect, it } from 'vitest'
import { expectInvalid, expectRefused } from '../setup/refusals.ts'
import { item, openShop } from '../setup/shop.ts'

describe('orders.get', () => {
  it('returns an order to the user who placed it', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()
    const { replayed, ...order } = await client.orders.place.mutate({ items: [item(await shop.givenProduct(), 2)] })

    expect(await client.orders.get.query({ orderId: order.id })).toEqual(order)
  })

  it('refuses order_not_found', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()

    await expectRefused(shop, () => client.orders.get.query({ orderId: 1 }), 404, {
      code: 'order_not_found',
      orderId: 1,
    })
  })

  it("refuses order_not_found for another user's order, also to an admin", async () => {
    await using shop = await openShop()
    const { client: alice } = await shop.givenUser()
    const { id: orderId } = await alice.orders.place.mutate({ items: [item(await shop.givenProduct())] })
    const bob = await shop.givenUser()
    const boss = shop.client({ token: await shop.token({ sub: String(bob.id), role: 'admin' }) })

    for (const client of [bob.client, boss]) {
      await expectRefused(shop, () => client.orders.get.query({ orderId }), 404, { code: 'order_not_found', orderId })
    }
  })

  it("keeps the product's name and price from the time of the order", async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()
    const product = await shop.givenProduct({ name: 'Tea', price: 30 })
    const { id: orderId } = await client.orders.place.mutate({ items: [item(product)] })
    await shop.asAdmin().products.update({ productId: product.id, name: 'Coffee', price: 99 })
    await shop.asAdmin().products.remove({ productId: product.id })

    expect(await client.orders.get.query({ orderId })).toMatchObject({
      items: [{ productName: 'Tea', price: 30, amount: 30 }],
      totalPrice: 30,
    })
  })

  it.each([0, -1, 1.5, 2 ** 53])('rejects the id %s as invalid', async (orderId) => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()

    await expectInvalid(shop, () => client.orders.get.query({ orderId }))
  })
})
