import { describe, expect, it } from 'vitest'
import { errorOf, expectInvalid, expectRefused } from '../setup/refusals.ts'
import { item, newKey, openShop, type Shop } from '../setup/shop.ts'

const INVALID_INPUT = { items: [] }

/** Two products and a buyer with 100 points. Each order below violates its own rule and every later one. */
async function openWithGoods() {
  const shop = await openShop()
  const first = await shop.givenProduct({ price: 100, stock: 1 })
  const second = await shop.givenProduct({ price: 100, stock: 1 })
  const user = await shop.givenUser({ points: 100 })
  return { shop, first, second, user }
}

const withInvalidToken = (shop: Shop) => shop.client({ token: 'abc' })
const withoutToken = (shop: Shop) => shop.client()

describe('the first failure wins', () => {
  it('token before role', async () => {
    await using shop = await openShop()

    await expectRefused(shop, () => withoutToken(shop).users.create.mutate({ name: 'A' }), 401, {
      code: 'token_missing',
    })
    await expectRefused(shop, () => withInvalidToken(shop).users.create.mutate({ name: 'A' }), 401, {
      code: 'token_invalid',
    })
  })

  it('token before input', async () => {
    await using shop = await openShop()

    await expectRefused(shop, () => withoutToken(shop).orders.place.mutate(INVALID_INPUT), 401, {
      code: 'token_missing',
    })
    await expectRefused(shop, () => withInvalidToken(shop).orders.place.mutate(INVALID_INPUT), 401, {
      code: 'token_invalid',
    })
  })

  it('role before input', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()
    const admin = await shop.admin()

    await expectRefused(shop, () => client.users.create.mutate({ name: '' }), 403, { code: 'not_allowed' })
    await expectRefused(shop, () => admin.orders.place.mutate(INVALID_INPUT), 403, { code: 'not_allowed' })
  })

  it('role before user', async () => {
    await using shop = await openShop()
    const unknownUser = shop.client({ token: await shop.userToken(1) })

    await expectRefused(shop, () => unknownUser.users.create.mutate({ name: 'A' }), 403, { code: 'not_allowed' })
  })

  it('input before user', async () => {
    await using shop = await openShop()
    const unknownUser = shop.client({ token: await shop.userToken(1) })

    await expectInvalid(shop, () => unknownUser.orders.place.mutate(INVALID_INPUT))
  })

  it('user before existence', async () => {
    await using shop = await openShop()
    const unknownUser = shop.client({ token: await shop.userToken(1) })

    for (const call of [
      () => unknownUser.payments.pay.mutate({ orderId: 1 }),
      () => unknownUser.orders.place.mutate({ items: [{ productId: 1, quantity: 1, price: 1 }] }),
      () => unknownUser.orders.get.query({ orderId: 1 }),
    ]) {
      await expectRefused(shop, call, 401, { code: 'user_not_found' })
    }
  })

  it('existence before status', async () => {
    const { shop: opened, user, first } = await openWithGoods()
    await using shop = opened
    const { order } = await user.client.orders.checkout.mutate({ items: [item(first)] })
    const other = await shop.givenUser()

    await expectRefused(shop, () => other.client.orders.cancel.mutate({ orderId: order.id }), 404, {
      code: 'order_not_found',
      orderId: order.id,
    })
  })

  it('status before points and stock', async () => {
    const { shop: opened, user, first } = await openWithGoods()
    await using shop = opened
    const { id: orderId } = await user.client.orders.place.mutate({ items: [item(first)] })
    await user.client.orders.cancel.mutate({ orderId })
    await user.client.orders.checkout.mutate({ items: [item(first)] })

    await expectRefused(shop, () => user.client.payments.pay.mutate({ orderId }), 409, {
      code: 'order_not_payable',
      status: 'cancelled',
    })
  })

  it('the existence of every product before the price of any', async () => {
    const { shop: opened, user, first, second } = await openWithGoods()
    await using shop = opened
    const items = [
      { ...item(first), price: 1 },
      { ...item(second), productId: second.id + 1 },
    ]

    for (const call of [user.client.orders.place, user.client.orders.checkout]) {
      await expectRefused(shop, () => call.mutate({ items }), 404, {
        code: 'product_not_found',
        productId: second.id + 1,
      })
    }
  })

  it('price before points and stock', async () => {
    const { shop: opened, user, first, second } = await openWithGoods()
    await using shop = opened
    const items = [item(first, 2), { ...item(second), price: 99 }]

    for (const call of [user.client.orders.place, user.client.orders.checkout]) {
      await expectRefused(shop, () => call.mutate({ items }), 409, {
        code: 'price_changed',
        productId: second.id,
        expected: 99,
        actual: 100,
      })
    }
  })

  it('points before stock', async () => {
    const { shop: opened, user, first } = await openWithGoods()
    await using shop = opened

    await expectRefused(shop, () => user.client.orders.checkout.mutate({ items: [item(first, 2)] }), 409, {
      code: 'points_insufficient',
      required: 200,
      balance: 100,
    })
  })

  it('points before stock, also for a placed order', async () => {
    const { shop: opened, user, first } = await openWithGoods()
    await using shop = opened
    const { id: orderId } = await user.client.orders.place.mutate({ items: [item(first)] })
    await user.client.orders.checkout.mutate({ items: [item(first)] })

    await expectRefused(shop, () => user.client.payments.pay.mutate({ orderId }), 409, {
      code: 'points_insufficient',
      required: 100,
      balance: 0,
    })
  })

  it('status before the balance limit of a refund', async () => {
    const { shop: opened, user, first } = await openWithGoods()
    await using shop = opened
    const { id: orderId } = await user.client.orders.place.mutate({ items: [item(first)] })
    await user.client.points.charge.mutate({ amount: 999_900 })
    const admin = await shop.admin()

    await expectRefused(shop, () => admin.payments.refund.mutate({ orderId }), 409, {
      code: 'order_not_refundable',
      status: 'pending',
    })
  })

  it('the idempotency key before the existence of the products', async () => {
    const { shop: opened, user, first } = await openWithGoods()
    await using shop = opened
    const idempotencyKey = newKey()
    await user.client.orders.place.mutate({ items: [item(first)], idempotencyKey })
    await shop.asAdmin().products.remove({ productId: first.id })

    await expectRefused(shop, () => user.client.orders.place.mutate({ items: [item(first, 2)], idempotencyKey }), 422, {
      code: 'idempotency_key_reused',
    })
  })
})

describe('among items', () => {
  it.each(['product_not_found', 'price_changed', 'stock_insufficient'] as const)(
    'the refusal names the lowest product id: %s',
    async (code) => {
      const { shop, user, first, second } = await openWithGoods()
      await using _ = shop
      await user.client.points.charge.mutate({ amount: 900 })
      const invalidItems = {
        product_not_found: [second, first].map((product) => ({ ...item(product), productId: product.id + 10 })),
        price_changed: [second, first].map((product) => ({ ...item(product), price: 1 })),
        stock_insufficient: [second, first].map((product) => item(product, 2)),
      }[code]
      const productId = code === 'product_not_found' ? first.id + 10 : first.id

      for (const call of [user.client.orders.place, user.client.orders.checkout]) {
        expect(await errorOf(call.mutate({ items: invalidItems }))).toMatchObject({
          data: { refusal: { code, productId } },
        })
      }
    },
  )
})
