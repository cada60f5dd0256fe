import { createCaller } from '@pointwise/server'
import { describe, expect, it } from 'vitest'
import { emptyDatabase, run } from './setup/database.ts'
import { brokenPromises } from './setup/invariants.ts'

/** What is broken, and the broken promise that tells so. */
const FAULTS: [string, string, string][] = [
  ['a balance that nobody wrote down', 'a balance is the sum of', 'update points set point = point + 1'],
  ['points from nowhere', 'charges less payments', "update point_histories set point = 101 where use_type = 'CHARGE'"],
  ['a lost change of a balance', 'a balance is the sum of', "delete from point_histories where use_type = 'REFUND'"],
  ['a balance that skips a change', 'each history row', 'update point_histories set balance = balance + 1'],
  ['a lost wallet', 'every user has a wallet', "insert into users (name) values ('Eve')"],
  ['a lost product', 'every line of an order', 'update order_products set product_id = 0'],
  ['a lost piece of stock', 'stock and what was sold', 'update stock set stock = stock - 1'],
  ['a lost sale', 'sales volume is', 'update products set sales_volume = 0'],
  ['a lost hour', 'the hourly rollup', 'delete from product_sales'],
  ['a sale in another hour', 'the hourly rollup', 'update product_sales set hour = hour - interval 1 hour'],
  ['an order of another price', 'an order costs what', 'update order_products set price = price + 1'],
  ['a lost payment', 'a paid order has', 'delete from payments'],
  ['a payment of another amount', 'a paid order has', 'update payments set amount = amount + 1'],
  ['a payment by another user', 'a paid order has', 'update payments set user_id = (select max(id) from users)'],
  ['an order that was never paid', 'a paid order has', "update orders set status = 'pending' where status = 'paid'"],
  ['a payment that is told twice', 'a paid order has', tellAgain('order.paid')],
  ['a payment that nobody was told of', 'a paid order has', "delete from events where type = 'order.paid'"],
  ['a lost refund', 'a refunded order has', 'delete from refunds'],
  ['a refund that was never made', 'a refunded order has', "update orders set status = 'paid'"],
  ['a refund that is told twice', 'a refunded order has', tellAgain('order.refunded')],
  ['a charge that nobody was told of', 'every charge, and', "delete from events where type = 'points.charged'"],
  ['a charge that is told twice', 'every charge, and', tellAgain('points.charged')],
  ['an order that nobody was told of', 'every charge, and', "delete from events where type = 'order.placed'"],
  ['a cancellation that nobody was told of', 'every charge, and', "delete from events where type = 'order.cancelled'"],
]

function tellAgain(type: string): string {
  return `insert into events (type, \`key\`, payload) select type, \`key\`, payload from events where type = '${type}'`
}

/** A database with an order in each status, and nothing wrong. */
async function soundBooks() {
  const { db } = await emptyDatabase()
  const admin = createCaller({ db, admin: true })
  const [{ id: userId }] = [await admin.users.create({ name: 'Ada' }), await admin.users.create({ name: 'Bob' })]
  const { id: storeId } = await admin.stores.create({ name: 'Corner' })
  const { id: productId } = await admin.products.create({ storeId, name: 'Tea', price: 10, stock: 9 })
  const user = createCaller({ db, userId })
  const items = [{ productId, quantity: 1, price: 10 }]
  await user.points.charge({ amount: 100 })
  const { order } = await user.orders.checkout({ items })
  await user.orders.checkout({ items })
  await user.orders.place({ items })
  await user.orders.cancel({ orderId: (await user.orders.place({ items })).id })
  await admin.payments.refund({ orderId: order.id })
  return db
}

describe('the invariants', () => {
  it('hold of what the procedures write', async () => {
    const db = await soundBooks()
    expect(await brokenPromises(db)).toEqual({})
    await db.destroy()
  })

  it.each(FAULTS)('find %s', async (_, promise, fault) => {
    const db = await soundBooks()
    await run(db, fault)
    expect(Object.keys(await brokenPromises(db)).map((name) => name.slice(0, promise.length))).toContain(promise)
    await db.destroy()
  })
})
