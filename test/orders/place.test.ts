import type { RouterInputs } from '@pointwise/client-sdk'
import { describe, expect, it } from 'vitest'
import { clockAt } from '../setup/clock.ts'
import { eventsOf, snapshot } from '../setup/database.ts'
import { expectInvalid, expectRefused } from '../setup/refusals.ts'
import { item, newKey, openShop } from '../setup/shop.ts'

type Items = RouterInputs['orders']['place']['items']

describe('orders.place', () => {
  it('stores a pending order and writes one event', async () => {
    const clock = clockAt('2026-03-01T08:00:00.123Z')
    await using shop = await openShop({ now: clock.now })
    const { id: userId, client } = await shop.givenUser()
    const tea = await shop.givenProduct({ name: 'Tea', price: 30 })
    const rice = await shop.givenProduct({ name: 'Rice', price: 7 })

    const order = await client.orders.place.mutate({ items: [item(rice, 3), item(tea)] })

    const { replayed, ...placed } = order
    const orderId = order.id
    expect(order).toEqual({
      id: expect.any(Number),
      status: 'pending',
      items: [
        { productId: tea.id, productName: 'Tea', price: 30, quantity: 1, amount: 30 },
        { productId: rice.id, productName: 'Rice', price: 7, quantity: 3, amount: 21 },
      ],
      totalPrice: 51,
      createdAt: new Date('2026-03-01T08:00:00.123Z'),
      paidAt: null,
      replayed: false,
    })
    expect(await client.orders.get.query({ orderId })).toEqual(placed)
    expect(await eventsOf(shop.db, 'order.placed')).toEqual([
      { type: 'order.placed', key: `user:${userId}`, payload: { userId, orderId, totalPrice: 51 } },
    ])
  })

  it('does not reserve stock', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()
    const product = await shop.givenProduct({ stock: 1 })

    await client.orders.place.mutate({ items: [item(product)] })
    await client.orders.place.mutate({ items: [item(product)] })

    expect(await client.products.get.query({ productId: product.id })).toMatchObject({ stock: 1, salesVolume: 0 })
  })

  it('returns the order when the key is repeated with the same items in any sequence', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()
    const [tea, rice] = [await shop.givenProduct(), await shop.givenProduct()]
    const idempotencyKey = newKey()
    const first = await client.orders.place.mutate({ items: [item(tea), item(rice, 2)], idempotencyKey })
    const before = await snapshot(shop.db)

    expect(await client.orders.place.mutate({ items: [item(rice, 2), item(tea)], idempotencyKey })).toEqual({
      ...first,
      replayed: true,
    })
    expect(await snapshot(shop.db)).toEqual(before)
  })

  it('refuses product_not_found and changes nothing', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()
    const known = await shop.givenProduct()
    const unknown = { ...known, id: known.id + 1 }

    await expectRefused(shop, () => client.orders.place.mutate({ items: [item(unknown), item(known)] }), 404, {
      code: 'product_not_found',
      productId: unknown.id,
    })
  })

  it('refuses price_changed and changes nothing', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()
    const seen = await shop.givenProduct({ price: 100 })
    for (const price of [101, 99]) {
      await shop.asAdmin().products.update({ productId: seen.id, price })

      await expectRefused(shop, () => client.orders.place.mutate({ items: [item(seen)] }), 409, {
        code: 'price_changed',
        productId: seen.id,
        expected: 100,
        actual: price,
      })
    }
  })

  it('refuses stock_insufficient and changes nothing', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()
    const product = await shop.givenProduct({ stock: 2 })

    await expectRefused(shop, () => client.orders.place.mutate({ items: [item(product, 3)] }), 409, {
      code: 'stock_insufficient',
      productId: product.id,
      requested: 3,
      available: 2,
    })
  })

  it('refuses idempotency_key_reused when the key is repeated with different items', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()
    const [tea, rice] = [await shop.givenProduct(), await shop.givenProduct()]
    const idempotencyKey = newKey()
    await client.orders.place.mutate({ items: [item(tea), item(rice)], idempotencyKey })

    for (const items of [
      [item(tea)],
      [item(tea), item(rice, 2)],
      [item(tea), { ...item(rice), price: 1 }],
      [item(tea), { ...item(rice), productId: rice.id + 1 }],
      [item(tea), item(rice), { ...item(rice), productId: rice.id + 1 }],
    ]) {
      await expectRefused(shop, () => client.orders.place.mutate({ items, idempotencyKey }), 422, {
        code: 'idempotency_key_reused',
      })
    }
  })

  it('returns the order of a repeated key in every status, also after its products changed', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser({ points: 1_000 })
    const product = await shop.givenProduct()
    const calls = [newKey(), newKey(), newKey()].map((idempotencyKey) => ({ items: [item(product)], idempotencyKey }))
    const place = () => Promise.all(calls.map((call) => client.orders.place.mutate(call)))
    const [paid = 0, cancelled = 0, refunded = 0] = (await place()).map(({ id }) => id)
    await client.payments.pay.mutate({ orderId: paid })
    await client.orders.cancel.mutate({ orderId: cancelled })
    await client.payments.pay.mutate({ orderId: refunded })
    await shop.asAdmin().payments.refund({ orderId: refunded })
    await shop.asAdmin().products.update({ productId: product.id, price: 9 })
    await shop.asAdmin().products.remove({ productId: product.id })

    const replays = await place()

    expect(replays.map(({ id, status, replayed }) => [id, status, replayed])).toEqual([
      [paid, 'paid', true],
      [cancelled, 'cancelled', true],
      [refunded, 'refunded', true],
    ])
  })

  it('returns a paid order that was checked out with the same key', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser({ points: 100 })
    const call = { items: [item(await shop.givenProduct())], idempotencyKey: newKey() }
    const { order } = await client.orders.checkout.mutate(call)

    expect(await client.orders.place.mutate(call)).toEqual({ ...order, replayed: true })
  })

  it('does not store a refusal: the same key succeeds once there is stock', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()
    const product = await shop.givenProduct({ stock: 0 })
    const call = { items: [item(product)], idempotencyKey: newKey() }
    await expectRefused(shop, () => client.orders.place.mutate(call), 409, {
      code: 'stock_insufficient',
      productId: product.id,
      requested: 1,
      available: 0,
    })
    await shop.asAdmin().products.restock({ productId: product.id, quantity: 1 })

    expect(await client.orders.place.mutate(call)).toMatchObject({ status: 'pending', replayed: false })
  })

  it('treats equal keys of two users as different keys', async () => {
    await using shop = await openShop()
    const [alice, bob] = [await shop.givenUser(), await shop.givenUser()]
    const call = { items: [item(await shop.givenProduct())], idempotencyKey: newKey() }

    const first = await alice.client.orders.place.mutate(call)
    const second = await bob.client.orders.place.mutate(call)

    expect(second).toMatchObject({ replayed: false })
    expect(second.id).not.toBe(first.id)
  })

  it('accepts 50 products, 1,000 pieces of each, with a total of 2,147,483,647 points', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()
    const cheap = await Promise.all(Array.from({ length: 49 }, () => shop.givenProduct({ price: 0, stock: 1_000 })))
    const dear = await shop.givenProduct({ price: 2_147_483_647 })
    const items = [...cheap.map((product) => item(product, 1_000)), item(dear)]

    expect(await client.orders.place.mutate({ items })).toMatchObject({ totalPrice: 2_147_483_647 })
  })

  it.each([
    ['no item', []],
    ['51 items', Array.from({ length: 51 }, (_, n) => ({ productId: n + 1, quantity: 1, price: 0 }))],
    ['a product twice', [1, 1].map((productId) => ({ productId, quantity: 1, price: 0 }))],
    ['a total beyond 2,147,483,647', [{ productId: 1, quantity: 2, price: 1_073_741_824 }]],
    ['a total beyond 2 ** 40', [{ productId: 1, quantity: 1_000, price: 2_147_483_647 }]],
    ...[0, -1, 1.5, 1_001].map((quantity): [string, Items] => [
      `a quantity of ${quantity}`,
      [{ productId: 1, quantity, price: 0 }],
    ]),
    ...[-1, 0.5, 2 ** 31].map((price): [string, Items] => [
      `a price of ${price}`,
      [{ productId: 1, quantity: 1, price }],
    ]),
  ] satisfies [string, Items][])('takes no order of %s', async (_, items) => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()

    await expectInvalid(shop, () => client.orders.place.mutate({ items }))
  })
})
