import type { Bench } from '../bench.ts'
import { measure, startServer } from '../processes.ts'
import type { Figure } from '../report.ts'
import { deal, payRequest } from '../requests.ts'
import { fillShop, newDatabase, numbersUpTo, placeOrders } from '../seed.ts'
import { perSecond } from './payments.ts'

const OLD_ORDERS = 2_000_000
const OLD_USERS = 100_000
const USERS = 1_024
const PRODUCTS = 200
const ORDERS = 60_000
const CONNECTIONS = 64
const DURATION_MS = 2_500

/** Paying with two million orders in the tables, against paying in a new shop. */
export async function size({ server, rounds, say }: Bench): Promise<Figure[]> {
  const [old, young] = [await newDatabase(server, 'old'), await newDatabase(server, 'young')]
  await fillShop(old, { users: OLD_USERS, products: PRODUCTS })
  await fillShop(young, { users: USERS, products: PRODUCTS })
  say(`size: filling ${OLD_ORDERS.toLocaleString('en')} orders`)
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
  const shops = [
    { database: old, server: await startServer('server.ts', old.url), values: [] as number[] },
    { database: young, server: await startServer('server.ts', young.url), values: [] as number[] },
  ]
  for (let round = 0; round <= rounds; round++) {
    for (const { database, server, values } of shops) {
      const orders = await placeOrders(database, { count: ORDERS, users: USERS, products: PRODUCTS })
      const connections = deal(await Promise.all(orders.map(payRequest)), CONNECTIONS)
      const value = perSecond(await measure({ port: server.port, connections, repeat: false, durationMs: DURATION_MS }))
      say(`size, round ${round} of ${rounds}: ${Math.round(value)}/s`)
      if (round > 0) values.push(value)
    }
  }
  for (const { database, server } of shops) {
    await server.stop()
    await database.end()
  }
  return [
    {
      name: 'pay, spread, with 2,000,000 orders in the tables',
      unit: '/s',
      values: shops[0]?.values ?? [],
      yardstick: { name: 'empty', values: shops[1]?.values ?? [] },
      goal: { atLeast: 0.8 },
    },
  ]
}
