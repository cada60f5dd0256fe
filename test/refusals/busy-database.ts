import { holdConnection, holdLocks } from '../setup/database.ts'
import { get, post } from '../setup/raw-http.ts'
import { item, type Shop } from '../setup/shop.ts'

/** Creates what the calls of `callsDuringLocks` need: an order to be paid, and the wallet of another user. */
export async function openOrderAndWallet(shop: Shop) {
  const [payer, charger] = [await shop.givenUser({ points: 1_000 }), await shop.givenUser()]
  const product = await shop.givenProduct()
  const { id: orderId } = await payer.client.orders.place.mutate({ items: [item(product)] })
  return { payer, charger, product, orderId, adminToken: await shop.adminToken() }
}

/** The responses to calls that need a row which another transaction keeps locked until all of them have arrived. */
export async function callsDuringLocks(shop: Shop, given: Awaited<ReturnType<typeof openOrderAndWallet>>) {
  const { payer, charger, product, orderId, adminToken } = given
  await using _stock = await holdLocks(
    shop.databaseUrl,
    `select * from stock where product_id = ${product.id} for update`,
  )
  await using _wallet = await holdLocks(
    shop.databaseUrl,
    `select * from points where user_id = ${charger.id} for update`,
  )
  return await Promise.all([
    post(shop, 'payments.pay', { token: payer.token, input: { orderId } }),
    post(shop, 'orders.checkout', { token: payer.token, input: { items: [item(product)] } }),
    post(shop, 'products.restock', { token: adminToken, input: { productId: product.id, quantity: 1 } }),
    post(shop, 'points.charge', { token: charger.token, input: { amount: 1 } }),
  ])
}

/** The responses to calls while the only connection of the shop is in use until all of them have arrived. */
export async function callsWithoutConnection(shop: Shop, token: string) {
  await using _ = await holdConnection(shop.db)
  return await Promise.all([
    post(shop, 'points.charge', { token, input: { amount: 1 } }),
    get(shop, 'points.balance', { token }),
    get(shop, 'products.list'),
  ])
}
