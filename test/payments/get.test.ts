import { describe, expect, it } from 'vitest'
import { expectRefused } from '../setup/refusals.ts'
import { item, openShop } from '../setup/shop.ts'

describe('payments.get', () => {
  it('returns the payment of an order', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser({ points: 100 })
    const { order, payment } = await client.orders.checkout.mutate({ items: [item(await shop.givenProduct())] })

    expect(payment).toEqual({ orderId: order.id, amount: 100, paidAt: expect.any(Date) })
    expect(await client.payments.get.query({ orderId: order.id })).toEqual(payment)
  })

  it('refuses payment_not_found for an order that is not paid', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()
    const { id: orderId } = await client.orders.place.mutate({ items: [item(await shop.givenProduct())] })

    await expectRefused(shop, () => client.payments.get.query({ orderId }), 404, { code: 'payment_not_found', orderId })
  })

  it("refuses payment_not_found for an order that does not exist and for another user's order", async () => {
    await using shop = await openShop()
    const [alice, bob] = [await shop.givenUser({ points: 100 }), await shop.givenUser()]
    const { order } = await alice.client.orders.checkout.mutate({ items: [item(await shop.givenProduct())] })

    for (const orderId of [order.id, order.id + 1]) {
      await expectRefused(shop, () => bob.client.payments.get.query({ orderId }), 404, {
        code: 'payment_not_found',
        orderId,
      })
    }
  })

  it('returns the payment also after a refund', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser({ points: 100 })
    const { order, payment } = await client.orders.checkout.mutate({ items: [item(await shop.givenProduct())] })
    await shop.asAdmin().payments.refund({ orderId: order.id })

    expect(await client.payments.get.query({ orderId: order.id })).toEqual(payment)
  })
})
