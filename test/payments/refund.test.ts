import { describe, expect, it } from 'vitest'
import { clockAt } from '../setup/clock.ts'
import { eventsOf, snapshot } from '../setup/database.ts'
import { expectRefused } from '../setup/refusals.ts'
import { item, openShop } from '../setup/shop.ts'

describe('payments.refund', () => {
  it('reverses points, stock and sales volume and marks the order as refunded', async () => {
    const clock = clockAt('2026-03-01T08:00:00.123Z')
    await using shop = await openShop({ now: clock.now })
    const admin = await shop.admin()
    const { id: userId, client } = await shop.givenUser({ points: 500 })
    const tea = await shop.givenProduct({ price: 30, stock: 9 })
    const rice = await shop.givenProduct({ price: 7, stock: 9 })
    const { order } = await client.orders.checkout.mutate({ items: [item(tea, 2), item(rice, 3)] })
    const orderId = order.id
    await client.orders.checkout.mutate({ items: [item(tea)] })
    clock.set('2026-03-02T09:00:00.456Z')
    const refundedAt = clock.now()

    expect(await admin.payments.refund.mutate({ orderId })).toEqual({
      orderId,
      amount: 81,
      refundedAt,
      replayed: false,
    })

    expect(await client.orders.get.query({ orderId })).toEqual({ ...order, status: 'refunded' })
    expect(await client.points.balance.query()).toMatchObject({ balance: 470, updatedAt: refundedAt })
    expect((await client.points.histories.query()).items[0]).toMatchObject({
      type: 'REFUND',
      amount: 81,
      balance: 470,
      orderId,
      createdAt: refundedAt,
    })
    expect(await client.products.get.query({ productId: tea.id })).toMatchObject({ stock: 8, salesVolume: 1 })
    expect(await client.products.get.query({ productId: rice.id })).toMatchObject({ stock: 9, salesVolume: 0 })
    const items = [
      { productId: tea.id, quantity: 2, stock: 8 },
      { productId: rice.id, quantity: 3, stock: 9 },
    ]
    expect(await eventsOf(shop.db, 'order.refunded')).toEqual([
      { type: 'order.refunded', key: `user:${userId}`, payload: { userId, orderId, amount: 81, balance: 470, items } },
    ])
  })

  it('returns the first refund when the call is repeated', async () => {
    await using shop = await openShop()
    const admin = await shop.admin()
    const { client } = await shop.givenUser({ points: 500 })
    const { order } = await client.orders.checkout.mutate({ items: [item(await shop.givenProduct())] })
    const first = await admin.payments.refund.mutate({ orderId: order.id })
    const before = await snapshot(shop.db)

    expect(await admin.payments.refund.mutate({ orderId: order.id })).toEqual({ ...first, replayed: true })
    expect(await snapshot(shop.db)).toEqual(before)
  })

  it('refuses not_allowed to the user who paid', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser({ points: 500 })
    const { order } = await client.orders.checkout.mutate({ items: [item(await shop.givenProduct())] })

    await expectRefused(shop, () => client.payments.refund.mutate({ orderId: order.id }), 403, { code: 'not_allowed' })
  })

  it('refuses order_not_found', async () => {
    await using shop = await openShop()
    const admin = await shop.admin()

    await expectRefused(shop, () => admin.payments.refund.mutate({ orderId: 1 }), 404, {
      code: 'order_not_found',
      orderId: 1,
    })
  })

  it('refuses order_not_refundable for an order that is not paid', async () => {
    await using shop = await openShop()
    const admin = await shop.admin()
    const { client } = await shop.givenUser()
    const { id: orderId } = await client.orders.place.mutate({ items: [item(await shop.givenProduct())] })
    const refund = () => admin.payments.refund.mutate({ orderId })

    await expectRefused(shop, refund, 409, { code: 'order_not_refundable', status: 'pending' })
    await client.orders.cancel.mutate({ orderId })
    await expectRefused(shop, refund, 409, { code: 'order_not_refundable', status: 'cancelled' })
  })

  it('refuses points_limit_exceeded when the balance has grown meanwhile, and changes nothing', async () => {
    await using shop = await openShop()
    const admin = await shop.admin()
    const { client } = await shop.givenUser({ points: 1_000_000 })
    const { order } = await client.orders.checkout.mutate({ items: [item(await shop.givenProduct({ price: 100 }))] })
    await client.points.charge.mutate({ amount: 1 })

    await expectRefused(shop, () => admin.payments.refund.mutate({ orderId: order.id }), 409, {
      code: 'points_limit_exceeded',
      balance: 999_901,
      limit: 1_000_000,
    })
  })

  it('refunds up to exactly the limit of the wallet', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser({ points: 1_000_000 })
    const { order } = await client.orders.checkout.mutate({ items: [item(await shop.givenProduct())] })
    await shop.asAdmin().payments.refund({ orderId: order.id })

    expect(await client.points.balance.query()).toMatchObject({ balance: 1_000_000 })
  })

  it('refunds removed products and free products', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()
    const product = await shop.givenProduct({ price: 0 })
    const { order } = await client.orders.checkout.mutate({ items: [item(product)] })
    await shop.asAdmin().products.remove({ productId: product.id })

    expect(await shop.asAdmin().payments.refund({ orderId: order.id })).toMatchObject({ amount: 0, replayed: false })
    expect(await client.points.balance.query()).toMatchObject({ balance: 0 })
  })
})
