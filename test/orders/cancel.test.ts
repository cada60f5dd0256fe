import { describe, expect, it } from 'vitest'
import { eventsOf } from '../setup/database.ts'
import { expectRefused } from '../setup/refusals.ts'
import { item, openShop } from '../setup/shop.ts'

async function openWithOrder({ points = 1_000 } = {}) {
  const shop = await openShop()
  const user = await shop.givenUser({ points })
  const { replayed, ...order } = await user.client.orders.place.mutate({ items: [item(await shop.givenProduct())] })
  return { shop, user, order, orderId: order.id }
}

describe('orders.cancel', () => {
  it('cancels a pending order and writes one event', async () => {
    const { order, orderId, user, ...open } = await openWithOrder()
    await using shop = open.shop
    const { id: userId, client } = user

    const cancelled = await client.orders.cancel.mutate({ orderId })

    expect(cancelled).toEqual({ ...order, status: 'cancelled' })
    expect(await client.orders.get.query({ orderId })).toEqual(cancelled)
    expect(await eventsOf(shop.db, 'order.cancelled')).toEqual([
      { type: 'order.cancelled', key: `user:${userId}`, payload: { userId, orderId } },
    ])
  })

  it("refuses order_not_found for an order that does not exist and for another user's order", async () => {
    const { orderId, ...open } = await openWithOrder()
    await using shop = open.shop
    const { client } = await shop.givenUser()

    for (const id of [orderId, orderId + 1]) {
      await expectRefused(shop, () => client.orders.cancel.mutate({ orderId: id }), 404, {
        code: 'order_not_found',
        orderId: id,
      })
    }
  })

  it('refuses order_not_cancellable when the order is already cancelled', async () => {
    const { orderId, user, ...open } = await openWithOrder()
    await using shop = open.shop
    await user.client.orders.cancel.mutate({ orderId })

    await expectRefused(shop, () => user.client.orders.cancel.mutate({ orderId }), 409, {
      code: 'order_not_cancellable',
      status: 'cancelled',
    })
  })

  it('refuses order_not_cancellable for a paid order and for a refunded order', async () => {
    const { orderId, user, ...open } = await openWithOrder()
    await using shop = open.shop
    const cancel = () => user.client.orders.cancel.mutate({ orderId })

    await user.client.payments.pay.mutate({ orderId })
    await expectRefused(shop, cancel, 409, { code: 'order_not_cancellable', status: 'paid' })
    await shop.asAdmin().payments.refund({ orderId })
    await expectRefused(shop, cancel, 409, { code: 'order_not_cancellable', status: 'refunded' })
  })
})
