import { describe, expect, it } from 'vitest'
import { clockAt } from '../setup/clock.ts'
import { eventsOf, snapshot } from '../setup/database.ts'
import { expectInvalid, expectRefused } from '../setup/refusals.ts'
import { item, newKey, openShop } from '../setup/shop.ts'

describe('orders.checkout', () => {
  it('places an order and pays for it in one step', async () => {
    const clock = clockAt('2026-03-01T08:00:00.123Z')
    await using shop = await openShop({ now: clock.now })
    const { id: userId, client } = await shop.givenUser({ points: 500 })
    const tea = await shop.givenProduct({ name: 'Tea', price: 30, stock: 9 })
    const rice = await shop.givenProduct({ name: 'Rice', price: 7, stock: 9 })

    const bought = await client.orders.checkout.mutate({ items: [item(rice, 3), item(tea)] })

    const orderId = bought.order.id
    const paidAt = clock.now()
    expect(bought).toEqual({
      order: {
        id: expect.any(Number),
        status: 'paid',
        items: [
          { productId: tea.id, productName: 'Tea', price: 30, quantity: 1, amount: 30 },
          { productId: rice.id, productName: 'Rice', price: 7, quantity: 3, amount: 21 },
        ],
        totalPrice: 51,
        createdAt: paidAt,
        paidAt,
      },
      payment: { orderId, amount: 51, paidAt },
      balance: 449,
      replayed: false,
    })
    expect(await client.orders.get.query({ orderId })).toEqual(bought.order)
    expect(await client.products.get.query({ productId: rice.id })).toMatchObject({ stock: 6, salesVolume: 3 })
    const items = [
      { productId: tea.id, quantity: 1, stock: 8 },
      { productId: rice.id, quantity: 3, stock: 6 },
    ]
    const key = `user:${userId}`
    expect((await eventsOf(shop.db)).slice(-2)).toEqual([
      { type: 'order.placed', key, payload: { userId, orderId, totalPrice: 51 } },
      { type: 'order.paid', key, payload: { userId, orderId, amount: 51, balance: 449, items } },
    ])
  })

  it('returns the first purchase, with the balance after it, when the key is repeated', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser({ points: 300 })
    const call = { items: [item(await shop.givenProduct({ price: 100 }))], idempotencyKey: newKey() }
    const first = await client.orders.checkout.mutate(call)
    await client.points.charge.mutate({ amount: 5 })
    const before = await snapshot(shop.db)

    expect(await client.orders.checkout.mutate(call)).toEqual({ ...first, balance: 200, replayed: true })
    expect(await snapshot(shop.db)).toEqual(before)
  })

  it('refuses product_not_found and changes nothing', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser({ points: 100 })
    const product = await shop.givenProduct()
    await shop.asAdmin().products.remove({ productId: product.id })

    await expectRefused(shop, () => client.orders.checkout.mutate({ items: [item(product)] }), 404, {
      code: 'product_not_found',
      productId: product.id,
    })
  })

  it('refuses price_changed and changes nothing', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser({ points: 1_000 })
    const seen = await shop.givenProduct({ price: 100 })
    await shop.asAdmin().products.update({ productId: seen.id, price: 90 })

    await expectRefused(shop, () => client.orders.checkout.mutate({ items: [item(seen)] }), 409, {
      code: 'price_changed',
      productId: seen.id,
      expected: 100,
      actual: 90,
    })
  })

  it('refuses points_insufficient and changes nothing', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser({ points: 100 })
    const product = await shop.givenProduct({ price: 101 })

    await expectRefused(shop, () => client.orders.checkout.mutate({ items: [item(product)] }), 409, {
      code: 'points_insufficient',
      required: 101,
      balance: 100,
    })
  })

  it('refuses stock_insufficient and changes nothing', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser({ points: 1_000 })
    const plenty = await shop.givenProduct({ stock: 10 })
    const short = await shop.givenProduct({ stock: 1 })

    await expectRefused(shop, () => client.orders.checkout.mutate({ items: [item(short, 2), item(plenty)] }), 409, {
      code: 'stock_insufficient',
      productId: short.id,
      requested: 2,
      available: 1,
    })
  })

  it('refuses idempotency_key_reused when the key is repeated with different items', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser({ points: 1_000 })
    const product = await shop.givenProduct()
    const idempotencyKey = newKey()
    await client.orders.checkout.mutate({ items: [item(product)], idempotencyKey })

    await expectRefused(shop, () => client.orders.checkout.mutate({ items: [item(product, 2)], idempotencyKey }), 422, {
      code: 'idempotency_key_reused',
    })
  })

  it('refuses idempotency_key_reused for the key of an order that was placed and never paid', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser({ points: 1_000 })
    const call = { items: [item(await shop.givenProduct())], idempotencyKey: newKey() }
    const { id: orderId } = await client.orders.place.mutate(call)
    const refused = () =>
      expectRefused(shop, () => client.orders.checkout.mutate(call), 422, { code: 'idempotency_key_reused' })

    await refused()
    await client.orders.cancel.mutate({ orderId })
    await refused()
  })

  it('returns an order that was placed with the same key and paid afterwards', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser({ points: 1_000 })
    const call = { items: [item(await shop.givenProduct({ price: 100 }))], idempotencyKey: newKey() }
    const { id: orderId } = await client.orders.place.mutate(call)
    const { payment } = await client.payments.pay.mutate({ orderId })

    expect(await client.orders.checkout.mutate(call)).toMatchObject({
      order: { id: orderId, status: 'paid' },
      payment,
      balance: 900,
      replayed: true,
    })
  })

  it('returns a purchase that was refunded afterwards in its current state', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser({ points: 1_000 })
    const call = { items: [item(await shop.givenProduct({ price: 100 }))], idempotencyKey: newKey() }
    const { order, payment } = await client.orders.checkout.mutate(call)
    await shop.asAdmin().payments.refund({ orderId: order.id })

    expect(await client.orders.checkout.mutate(call)).toEqual({
      order: { ...order, status: 'refunded' },
      payment,
      balance: 900,
      replayed: true,
    })
  })

  it('does not store a refusal: the same key succeeds after a charge', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()
    const call = { items: [item(await shop.givenProduct({ price: 100 }))], idempotencyKey: newKey() }
    await expectRefused(shop, () => client.orders.checkout.mutate(call), 409, {
      code: 'points_insufficient',
      required: 100,
      balance: 0,
    })
    await client.points.charge.mutate({ amount: 100 })

    expect(await client.orders.checkout.mutate(call)).toMatchObject({ balance: 0, replayed: false })
  })

  it('treats equal keys of two users as different keys', async () => {
    await using shop = await openShop()
    const [alice, bob] = [await shop.givenUser({ points: 100 }), await shop.givenUser({ points: 100 })]
    const call = { items: [item(await shop.givenProduct({ price: 100 }))], idempotencyKey: newKey() }

    for (const { client } of [alice, bob]) {
      expect(await client.orders.checkout.mutate(call)).toMatchObject({ balance: 0, replayed: false })
    }
  })

  it('spends the last point of a balance and sells the last piece of a product', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser({ points: 300 })
    const product = await shop.givenProduct({ price: 100, stock: 3 })

    expect(await client.orders.checkout.mutate({ items: [item(product, 3)] })).toMatchObject({ balance: 0 })
    expect(await client.products.get.query({ productId: product.id })).toMatchObject({ stock: 0, salesVolume: 3 })
  })

  it('sells a free product to a user without points, with a payment of 0', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()
    const product = await shop.givenProduct({ price: 0 })

    const { order, payment, balance } = await client.orders.checkout.mutate({ items: [item(product)] })

    expect([order.totalPrice, payment.amount, balance]).toEqual([0, 0, 0])
    const { items } = await client.points.histories.query()
    expect(items).toMatchObject([{ type: 'USE', balance: 0, orderId: order.id }])
    expect(items[0]?.amount).toBe(0)
  })

  it('rejects an order of more than 2,147,483,647 points as invalid', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()

    const items = [{ productId: 1, quantity: 1_000, price: 2_147_484 }]
    await expectInvalid(shop, () => client.orders.checkout.mutate({ items }))
  })
})
