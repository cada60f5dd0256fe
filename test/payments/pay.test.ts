import { describe, expect, it } from 'vitest'
import { clockAt } from '../setup/clock.ts'
import { eventsOf, run, snapshot } from '../setup/database.ts'
import { expectRefused } from '../setup/refusals.ts'
import { item, openShop } from '../setup/shop.ts'

describe('payments.pay', () => {
  it('takes points and stock, counts the sale and marks the order as paid', async () => {
    const clock = clockAt('2026-03-01T08:00:00.123Z')
    await using shop = await openShop({ now: clock.now })
    const { id: userId, client } = await shop.givenUser({ points: 500 })
    const tea = await shop.givenProduct({ price: 30, stock: 9 })
    const rice = await shop.givenProduct({ price: 7, stock: 9 })
    const { replayed, ...order } = await client.orders.place.mutate({ items: [item(tea, 2), item(rice, 3)] })
    const orderId = order.id
    clock.set('2026-03-02T09:00:00.456Z')
    const paidAt = clock.now()

    const paid = await client.payments.pay.mutate({ orderId })

    expect(paid).toEqual({ payment: { orderId, amount: 81, paidAt }, balance: 419, replayed: false })
    expect(await client.orders.get.query({ orderId })).toEqual({ ...order, status: 'paid', paidAt })
    expect(await client.points.balance.query()).toMatchObject({ balance: 419, updatedAt: paidAt })
    expect((await client.points.histories.query()).items[0]).toMatchObject({
      type: 'USE',
      amount: -81,
      balance: 419,
      orderId,
      createdAt: paidAt,
    })
    expect(await client.products.get.query({ productId: tea.id })).toMatchObject({ stock: 7, salesVolume: 2 })
    expect(await client.products.get.query({ productId: rice.id })).toMatchObject({ stock: 6, salesVolume: 3 })
    const items = [
      { productId: tea.id, quantity: 2, stock: 7 },
      { productId: rice.id, quantity: 3, stock: 6 },
    ]
    expect(await eventsOf(shop.db, 'order.paid')).toEqual([
      { type: 'order.paid', key: `user:${userId}`, payload: { userId, orderId, amount: 81, balance: 419, items } },
    ])
  })

  it('returns the first payment, with the balance after it, when the order is paid again', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser({ points: 500 })
    const order = await client.orders.place.mutate({ items: [item(await shop.givenProduct({ price: 100 }))] })
    const first = await client.payments.pay.mutate({ orderId: order.id })
    await client.points.charge.mutate({ amount: 5 })
    const before = await snapshot(shop.db)

    expect(await client.payments.pay.mutate({ orderId: order.id })).toEqual({ ...first, balance: 400, replayed: true })
    expect(await snapshot(shop.db)).toEqual(before)
  })

  it("refuses order_not_found for an order that does not exist and for another user's order", async () => {
    await using shop = await openShop()
    const alice = await shop.givenUser({ points: 500 })
    const bob = await shop.givenUser({ points: 500 })
    const { id } = await alice.client.orders.place.mutate({ items: [item(await shop.givenProduct())] })

    for (const orderId of [id, id + 1]) {
      await expectRefused(shop, () => bob.client.payments.pay.mutate({ orderId }), 404, {
        code: 'order_not_found',
        orderId,
      })
    }
  })

  it("refuses order_not_found for another user's paid order instead of replaying it", async () => {
    await using shop = await openShop()
    const [alice, bob] = [await shop.givenUser({ points: 500 }), await shop.givenUser()]
    const { order } = await alice.client.orders.checkout.mutate({ items: [item(await shop.givenProduct())] })

    await expectRefused(shop, () => bob.client.payments.pay.mutate({ orderId: order.id }), 404, {
      code: 'order_not_found',
      orderId: order.id,
    })
  })

  it('refuses order_not_payable for a cancelled or refunded order', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser({ points: 500 })
    const product = await shop.givenProduct()
    const { id: cancelled } = await client.orders.place.mutate({ items: [item(product)] })
    await client.orders.cancel.mutate({ orderId: cancelled })
    const { order: refunded } = await client.orders.checkout.mutate({ items: [item(product)] })
    await shop.asAdmin().payments.refund({ orderId: refunded.id })

    await expectRefused(shop, () => client.payments.pay.mutate({ orderId: cancelled }), 409, {
      code: 'order_not_payable',
      status: 'cancelled',
    })
    await expectRefused(shop, () => client.payments.pay.mutate({ orderId: refunded.id }), 409, {
      code: 'order_not_payable',
      status: 'refunded',
    })
  })

  it('refuses points_insufficient when one point is missing, and changes nothing', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser({ points: 199 })
    const { id: orderId } = await client.orders.place.mutate({
      items: [item(await shop.givenProduct({ price: 100 }), 2)],
    })

    await expectRefused(shop, () => client.payments.pay.mutate({ orderId }), 409, {
      code: 'points_insufficient',
      required: 200,
      balance: 199,
    })
  })

  it('refuses stock_insufficient when the stock was sold meanwhile, and changes nothing', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser({ points: 1_000 })
    const [tea, rice] = [await shop.givenProduct({ stock: 5 }), await shop.givenProduct({ stock: 5 })]
    const { id: orderId } = await client.orders.place.mutate({ items: [item(tea), item(rice, 5)] })
    await client.orders.checkout.mutate({ items: [item(rice)] })

    await expectRefused(shop, () => client.payments.pay.mutate({ orderId }), 409, {
      code: 'stock_insufficient',
      productId: rice.id,
      requested: 5,
      available: 4,
    })
  })

  it('succeeds after a refusal once there are enough points', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()
    const { id: orderId } = await client.orders.place.mutate({ items: [item(await shop.givenProduct({ price: 100 }))] })
    await expectRefused(shop, () => client.payments.pay.mutate({ orderId }), 409, {
      code: 'points_insufficient',
      required: 100,
      balance: 0,
    })
    await client.points.charge.mutate({ amount: 100 })

    expect(await client.payments.pay.mutate({ orderId })).toMatchObject({ balance: 0, replayed: false })
  })

  it('charges the price of the order, whatever the current price', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser({ points: 100 })
    const product = await shop.givenProduct({ price: 30 })
    const { id: orderId } = await client.orders.place.mutate({ items: [item(product)] })
    await shop.asAdmin().products.update({ productId: product.id, price: 99 })

    expect(await client.payments.pay.mutate({ orderId })).toMatchObject({ payment: { amount: 30 }, balance: 70 })
  })

  it('pays for a free order with 0 points', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()
    const { id: orderId } = await client.orders.place.mutate({ items: [item(await shop.givenProduct({ price: 0 }))] })

    expect(await client.payments.pay.mutate({ orderId })).toMatchObject({ payment: { amount: 0 }, balance: 0 })
    expect(await client.payments.pay.mutate({ orderId })).toMatchObject({ payment: { amount: 0 }, replayed: true })
  })

  it('counts the sale in the hour of the payment, in UTC', async () => {
    const clock = clockAt('2026-03-01T23:59:59.999Z')
    await using shop = await openShop({ now: clock.now })
    const { client } = await shop.givenUser({ points: 1_000 })
    const product = await shop.givenProduct()
    await client.orders.checkout.mutate({ items: [item(product, 2)] })
    clock.set('2026-03-02T00:00:00.000Z')
    await client.orders.checkout.mutate({ items: [item(product)] })

    expect(await run(shop.db, 'select cast(hour as char) as hour, count from product_sales order by hour')).toEqual([
      { hour: '2026-03-01 23:00:00', count: 2 },
      { hour: '2026-03-02 00:00:00', count: 1 },
    ])
  })
})
