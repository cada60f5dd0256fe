import type { Pool } from '@pointwise/db'
import { freshDatabase, run } from '../setup/database.ts'

const WALLETS = 2_000
export const PRODUCTS = 500
const STOCK = 1_000_000
const HOURS = 30 * 24

const key = (kind: number) => `concat('0000000${kind}-0000-4000-8000-', lpad(n, 12, '0'))`
const paidAt = `timestamp '2026-01-01 00:00:00' + interval n * 7 % (${HOURS} * 60) minute`

/** Creates a table of the numbers from 1. */
const createNumbers = (count: number) => [
  'create table digits (d int primary key)',
  'insert into digits values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)',
  'create table numbers (n int primary key)',
  `insert into numbers select n from (select 1 + a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d + 100000 * g.d as n
  from digits a, digits b, digits c, digits e, digits f, digits g) all_numbers where n <= ${count}`,
]

const orderPayload = "'userId', user_id, 'orderId', orders.id"

/** Every order is a single item for 10 points, and its user charged 10 points before it, at the same time. */
const INSERTS = [
  `insert into users (id, name) select n, concat('user ', n) from numbers where n <= ${WALLETS}`,
  'insert into points (id, user_id, point, created_at) select id, id, 0, created_at from users',
  `insert into stores (id, name) values (1, 'Corner')`,
  `insert into products (id, store_id, name, price) select n, 1, concat('product ', n), 10 from numbers
  where n <= ${PRODUCTS}`,
  `insert into stock (product_id, stock) select id, ${STOCK} from products`,
  `insert into stock_changes (product_id, \`change\`, reason, idempotency_key, created_at)
  select n, ${STOCK}, 'STOCKED', ${key(1)}, created_at from numbers join products on id = n`,
  `insert into orders (id, user_id, status, total_price, idempotency_key, paid_at, created_at)
  select n, 1 + n % ${WALLETS}, 'paid', 10, ${key(2)}, ${paidAt}, ${paidAt} from numbers`,
  `insert into order_products (order_id, product_id, product_name, price, \`count\`)
  select n, 1 + n % ${PRODUCTS}, concat('product ', 1 + n % ${PRODUCTS}), 10, 1 from numbers`,
  'insert into payments (order_id, user_id, amount, created_at) select id, user_id, 10, paid_at from orders',
  `insert into point_histories (id, point_id, point, balance, use_type, idempotency_key, created_at)
  select 2 * n - 1, 1 + n % ${WALLETS}, 10, 10, 'CHARGE', ${key(3)}, ${paidAt} from numbers`,
  `insert into point_histories (id, point_id, point, balance, use_type, order_id, created_at)
  select 2 * n, 1 + n % ${WALLETS}, -10, 0, 'USE', n, ${paidAt} from numbers`,
  `update points join (select user_id, max(id) as last from orders group by user_id) orders_of_user using (user_id)
  join orders on orders.id = last set points.updated_at = paid_at`,
  `insert into product_sales (product_id, hour, \`count\`) select product_id,
  cast(date_format(paid_at, '%Y-%m-%d %H:00:00') as datetime), count(*)
  from orders join order_products on order_id = orders.id group by 1, 2`,
  `update products join (select product_id, sum(\`count\`) as sold from order_products group by 1) sales
  on product_id = products.id set sales_volume = sold`,
  'update stock join products on products.id = product_id set stock = stock - sales_volume',
  `insert into events (id, type, \`key\`, payload, created_at) select id, 'product.created', concat('product:', id),
  json_object('productId', id, 'name', name, 'price', price, 'stock', ${STOCK}), created_at from products`,
  `insert into events (id, type, \`key\`, payload, created_at)
  select ${PRODUCTS} + 3 * id - 2, 'points.charged', concat('user:', user_id),
  json_object('userId', user_id, 'historyId', 2 * id - 1, 'amount', 10, 'balance', 10), paid_at from orders`,
  `insert into events (id, type, \`key\`, payload, created_at)
  select ${PRODUCTS} + 3 * id - 1, 'order.placed', concat('user:', user_id),
  json_object(${orderPayload}, 'totalPrice', 10), paid_at from orders`,
  `insert into events (id, type, \`key\`, payload, created_at)
  select ${PRODUCTS} + 3 * orders.id, 'order.paid', concat('user:', user_id),
  json_object(${orderPayload}, 'amount', 10, 'balance', 0, 'items', json_array(json_object('productId', product_id,
  'quantity', 1, 'stock', ${STOCK} - row_number() over (partition by product_id order by orders.id)))), paid_at
  from orders join order_products on order_id = orders.id`,
]

/** Creates a database with consistent records of the given number of orders, each with two history rows. */
export async function databaseWithOrders(
  name: string,
  orders: number,
  log: (sql: string, values: readonly unknown[], ms: number) => void,
): Promise<Pool> {
  const { db } = await freshDatabase(name, {
    statementTimeoutMs: 300_000,
    log: ({ query, queryDurationMillis }) => log(query.sql, query.parameters, queryDurationMillis),
  })
  const statements = [...createNumbers(orders), ...INSERTS, 'drop table digits', 'drop table numbers']
  for (const statement of statements) await run(db, statement)
  const tables = await run<{ name: string }>(
    db,
    'select table_name as name from information_schema.tables where table_schema = database()',
  )
  await run(db, `analyze table ${tables.map(({ name }) => name).join(', ')}`)
  return db
}
