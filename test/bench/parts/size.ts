import { measure, startServer } from '../processes.ts'
import type { Figure } from '../report.ts'
import { eachOnce, payRequest } from '../requests.ts'
import { type Bench, inTurn } from '../rounds.ts'
import { fillShop, newDatabase, numbersUpTo, placeOrders, type Seeded } from '../seed.ts'

const OLD_ORDERS = 2_000_000
const OLD_USERS = 100_000
const USERS = 1_024
const PRODUCTS = 200
const ORDERS = 60_000
const CONNECTIONS = 64

/** Measures payments with two million orders in the tables, compared with an empty shop. */
export async function size(bench: Bench): Promise<Figure[]> {
  const [old, young] = [await newDatabase(bench.server, 'old'), await newDatabase(bench.server, 'young')]
  await fillShop(old, { users: OLD_USERS, products: PRODUCTS })
  await fillShop(young, { users: USERS, products: PRODUCTS })
  bench.print(`size: filling ${OLD_ORDERS.toLocaleString('en')} orders`)
  await numbersUpTo(old, OLD_ORDERS)
  await old.connection.query(
    `insert into orders (user_id, status, total_price, idempotency_key, paid_at)
    select 1 + n % ?, 'cancelled', 1, uuid(), null from numbers where n < ?`,
    [OLD_USERS, OLD_ORDERS],
  )
  await old.connection.query(
    "insert into order_products (order_id, product_id, product_name, price, count) select id, 1 + id % ?, 'product', 1, 1 from orders",
    [PRODUCTS],
  )
  const [oldServer, youngServer] = [await startServer('server.ts', old.url), await startServer('server.ts', young.url)]
  const pay = async (shop: Seeded, server: typeof oldServer) => {
    const orders = await placeOrders(shop, { count: ORDERS, users: USERS, products: PRODUCTS })
    return (await measure(eachOnce(server, await Promise.all(orders.map(payRequest)), CONNECTIONS))).perSecond
  }
  const values = await inTurn(bench, 'size', {
    old: () => pay(old, oldServer),
    young: () => pay(young, youngServer),
  })
  await Promise.all([oldServer.stop(), youngServer.stop()])
  await Promise.all([old.end(), young.end()])
  return [
    {
      name: 'pay, spread, with 2,000,000 orders in the tables',
      unit: '/s',
      values: values.old,
      baseline: { name: 'empty', values: values.young },
      goal: { atLeast: 0.8 },
    },
  ]
}
