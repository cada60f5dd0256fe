import { createDatabase, migrate } from '@pointwise/db'
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise'

const BALANCE = 1_000_000

export interface Seeded {
  url: string
  connection: Connection
  end: () => Promise<void>
}

/** Creates an empty, migrated database, and a connection that fills it with SQL. */
export async function newDatabase(server: string, name: string): Promise<Seeded> {
  const url = Object.assign(new URL(server), { pathname: `/pointwise_bench_${name}` }).href
  await createDatabase(url)
  const connection = await createConnection({ uri: url, timezone: 'Z', multipleStatements: false })
  await connection.query(`drop database pointwise_bench_${name}`)
  await createDatabase(url)
  await migrate(url)
  await connection.changeUser({ database: `pointwise_bench_${name}` })
  await connection
    .query("set time_zone = '+00:00', cte_max_recursion_depth = 10000000")
    .catch(() => connection.query("set time_zone = '+00:00'"))
  await connection.query('create table numbers (n int primary key)')
  await connection.query('insert into numbers values (0)')
  // The server would write out and purge the data of one part while the next one measures.
  const end = async () => {
    await connection.query(`drop database pointwise_bench_${name}`)
    await connection.end()
  }
  return { url, connection, end }
}

/** Fills the table `numbers` with 0 to at least `count` - 1. */
export async function numbersUpTo({ connection }: Seeded, count: number): Promise<void> {
  const size = async () =>
    Number((await connection.query<RowDataPacket[]>('select count(*) as n from numbers'))[0][0]?.n ?? 0)
  for (let rows = await size(); rows < count; rows = await size()) {
    await connection.query('insert into numbers select n + ? from numbers', [rows])
  }
}

/** Inserts users with full wallets and the history of them, and products with more stock than is ever sold. */
export async function fillShop(
  seeded: Seeded,
  { users, products }: { users: number; products: number },
): Promise<void> {
  const { connection } = seeded
  await numbersUpTo(seeded, Math.max(users, products))
  const run = (sql: string, values: unknown[] = []) => connection.query(sql, values)
  // The rows and the event of one change have the same time.
  await run('set timestamp = unix_timestamp()')
  await run("insert into stores (name) values ('Kitchen')")
  await run("insert into users (name) select concat('user ', n) from numbers where n < ?", [users])
  await run('insert into points (user_id, point) select id, ? from users', [BALANCE])
  await run(
    `insert into point_histories (point_id, point, balance, use_type, idempotency_key)
    select id, ?, ?, 'CHARGE', uuid() from points`,
    [BALANCE, BALANCE],
  )
  await run(
    `insert into events (type, \`key\`, payload) select 'points.charged', concat('user:', points.user_id),
    json_object('userId', points.user_id, 'historyId', h.id, 'amount', h.point, 'balance', h.balance)
    from point_histories h join points on points.id = h.point_id`,
  )
  await run(
    "insert into products (store_id, name, price) select 1, concat('product ', n), 1 from numbers where n < ?",
    [products],
  )
  await run('insert into stock (product_id, stock) select id, 1000000000 from products')
  await run(
    "insert into stock_changes (product_id, `change`, reason, idempotency_key) select id, 1000000000, 'STOCKED', uuid() from products",
  )
  await run(
    `insert into events (type, \`key\`, payload) select 'product.created', concat('product:', products.id),
    json_object('productId', products.id, 'name', name, 'price', price, 'stock', stock)
    from products join stock on stock.product_id = products.id`,
  )
  await run('set timestamp = default')
}

/** Inserts pending orders of one piece each, distributed over the users and over the first `products` products. */
export async function placeOrders(
  seeded: Seeded,
  { count, users, products, fromUser = 1 }: { count: number; users: number; products: number; fromUser?: number },
): Promise<{ orderId: number; userId: number }[]> {
  const { connection } = seeded
  await numbersUpTo(seeded, count)
  const [[last]] = await connection.query<RowDataPacket[]>('select coalesce(max(id), 0) as id from orders')
  // The order and its event have the same time.
  await connection.query('set timestamp = unix_timestamp()')
  await connection.query(
    `insert into orders (user_id, status, total_price, idempotency_key)
    select ? + n % ?, 'pending', 1, uuid() from numbers where n < ?`,
    [fromUser, users, count],
  )
  await connection.query(
    `insert into order_products (order_id, product_id, product_name, price, count)
    select orders.id, products.id, products.name, products.price, 1
    from orders join products on products.id = 1 + (orders.id * 7) % ? where orders.id > ?`,
    [products, last?.id],
  )
  await connection.query(
    `insert into events (type, \`key\`, payload) select 'order.placed', concat('user:', user_id),
    json_object('userId', user_id, 'orderId', id, 'totalPrice', 1) from orders where id > ?`,
    [last?.id],
  )
  await connection.query('set timestamp = default')
  const [rows] = await connection.query<RowDataPacket[]>(
    'select id as orderId, user_id as userId from orders where id > ? order by id',
    [last?.id],
  )
  return rows as { orderId: number; userId: number }[]
}
