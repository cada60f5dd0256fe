import { describe, expect, it } from 'vitest'
import { runInLockQueue } from '../setup/queued-calls.ts'
import { item, openShop } from '../setup/shop.ts'

/** A shop with a pending order of 100 points by a user with 100 points, in which calls wait up to 20 seconds for a lock. */
async function openWithOrder() {
  const shop = await openShop({ database: { lockWaitSeconds: 20 } })
  const { id: userId } = await shop.givenUser({ points: 100 })
  const product = await shop.givenProduct({ price: 100, stock: 1 })
  const user = shop.asUser(userId)
  const { id: orderId } = await user.orders.place({ items: [item(product)] })
  const calls = {
    pay: () => user.payments.pay({ orderId }),
    cancel: () => user.orders.cancel({ orderId }),
    checkout: () => user.orders.checkout({ items: [item(product)] }),
    charge: () => user.points.charge({ amount: 1_000_000 }),
    removeUser: () => shop.asAdmin().users.remove({ userId }),
    takeAway: () => shop.asAdmin().products.restock({ productId: product.id, quantity: -1 }),
    rename: () => shop.asAdmin().products.update({ productId: product.id, name: 'Cup' }),
    reprice: () => shop.asAdmin().products.update({ productId: product.id, price: 101 }),
    remove: () => shop.asAdmin().products.remove({ productId: product.id }),
  }
  const rows = {
    order: `orders where id = ${orderId}`,
    wallet: `points where user_id = ${userId}`,
    stock: `stock where product_id = ${product.id}`,
  }
  return { shop, rows, calls }
}

const done = (answer: object) => ({ answers: [expect.objectContaining(answer)], refusals: {} })
const refused = (code: string) => ({ answers: [], refusals: { [code]: 1 } })

describe('a call that waited for a row lock reads the row as the other transaction left it', () => {
  it.each([
    ['order', 'cancel', 'pay', { status: 'cancelled' }, refused('order_not_payable')],
    ['order', 'pay', 'cancel', { balance: 0 }, refused('order_not_cancellable')],
    ['wallet', 'checkout', 'charge', { balance: 0 }, done({ balance: 1_000_000 })],
    ['wallet', 'removeUser', 'checkout', {}, refused('user_not_found')],
    ['wallet', 'removeUser', 'pay', {}, refused('user_not_found')],
    ['wallet', 'removeUser', 'charge', {}, refused('user_not_found')],
    ['wallet', 'pay', 'removeUser', { balance: 0 }, done({})],
    ['stock', 'takeAway', 'checkout', { stock: 0 }, refused('stock_insufficient')],
    ['stock', 'takeAway', 'pay', { stock: 0 }, refused('stock_insufficient')],
    ['stock', 'reprice', 'checkout', { price: 101 }, refused('price_changed')],
    ['stock', 'rename', 'reprice', { name: 'Cup', price: 100 }, done({ name: 'Cup', price: 101 })],
    ['stock', 'remove', 'checkout', { stock: 1 }, refused('product_not_found')],
  ] as const)('%s: %s, then %s', async (row, first, second, answer, outcome) => {
    const { shop: opened, rows, calls } = await openWithOrder()
    await using shop = opened

    expect(await runInLockQueue(shop, rows[row], [calls[first], calls[second]])).toEqual([done(answer), outcome])
  })
})
