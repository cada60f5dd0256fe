import type { ConnectOptions, Pool } from '@pointwise/db'
import { freshDatabase, run } from './database.ts'
import { splitStatements } from './statements.ts'

export const FILLED = { stores: 50, users: 200, products: 5_000, orders: 20_000 }

/** All rows are dated before this time. */
export const FILLED_UNTIL = new Date('2026-06-30T12:00:00Z')

const DAYS = 30
const UNTIL = `timestamp '2026-06-30 12:00:00'`

/** Creates a table of the numbers from 1 to 20,000. */
const NUMBERS = [
  'create table digits (d int primary key)',
  'insert into digits values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)',
  'create table numbers (n int primary key)',
  `insert into numbers select 1 + a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d
  from digits a, digits b, digits c, digits e, digits f where f.d < 2`,
]

const SHOP = [
  `insert into users (id, name, name_key) select n, concat('user ', n), concat('USER ', n) from numbers where n <= ${FILLED.users}`,
  'insert into points (id, user_id, point) select id, id, 900000 from users',
  `insert into stores (id, name, name_key) select n, concat('store ', n), concat('STORE ', n) from numbers where n <= ${FILLED.stores}`,
  `insert into products (id, store_id, name, price, sales_volume, deleted_at)
  select n, 1 + n % ${FILLED.stores}, concat('product ', n), 100, n * 37 % 1000, if(n % 50 = 0, ${UNTIL}, null)
  from numbers where n <= ${FILLED.products}`,
  'insert into stock (product_id, stock) select id, 100000 from products',
  `insert into stock_changes (product_id, \`change\`, reason, idempotency_key)
  select id, 100000, 'STOCKED', concat('00000000-0000-4000-8000-', lpad(id, 12, '0')) from products`,
]

const ORDERS = [
  `insert into orders (id, user_id, status, total_price, idempotency_key, paid_at)
  select n, 1 + n % ${FILLED.users}, elt(1 + n % 10, 'pending', 'cancelled', 'refunded', 'paid', 'paid', 'paid', 'paid',
  'paid', 'paid', 'paid'), 300, concat('00000000-0000-4000-8000-', lpad(n, 12, '0')),
  if(n % 10 < 2, null, ${UNTIL} - interval n * 7 % (${DAYS} * 24 * 60) minute) from numbers`,
  `insert into order_products (order_id, product_id, product_name, price, \`count\`)
  select id, 1 + id % ${FILLED.products}, 'one', 100, 1 from orders
  union all select id, 1 + (id + 7) % ${FILLED.products}, 'other', 100, 2 from orders`,
  `insert into payments (order_id, user_id, amount)
  select id, user_id, total_price from orders where status in ('paid', 'refunded')`,
  `insert into refunds (order_id, amount) select id, total_price from orders where status = 'refunded'`,
  `insert into point_histories (point_id, point, balance, use_type, idempotency_key)
  select 1 + n % ${FILLED.users}, 1, 900000, 'CHARGE', concat('00000000-0000-4000-9000-', lpad(n, 12, '0')) from numbers`,
  `insert into point_histories (point_id, point, balance, use_type, order_id)
  select user_id, -amount, 900000, 'USE', order_id from payments`,
  `insert into product_sales (product_id, hour, \`count\`)
  select 1 + n * 13 % ${FILLED.products}, ${UNTIL} - interval n % (${DAYS} * 24) hour, 1 + n % 9 from numbers`,
  `insert into events (type, \`key\`, payload, published_at)
  select 'order.paid', concat('user:', user_id), concat('{"orderId":', id, ',"items":[]}'), ${UNTIL} from orders`,
]

/** Fills the database of that name with the rows of months of business, and logs every statement. */
export async function filledDatabase(
  name: string,
  log: (statement: string, values: readonly unknown[]) => void,
): Promise<Pool> {
  const options: ConnectOptions = {
    log: (event) => {
      for (const { sql, values } of splitStatements(event)) log(sql, values)
    },
    statementTimeoutMs: 60_000,
  }
  const { db: filled } = await freshDatabase(name, options)
  await fillDatabase(filled)
  const tables = await run<{ name: string }>(
    filled,
    'select table_name as name from information_schema.tables where table_schema = database()',
  )
  await run(filled, `analyze table ${tables.map(({ name }) => name).join(', ')}`)
  return filled
}

/** Inserts those rows into an empty database. */
export async function fillDatabase(db: Pool): Promise<void> {
  for (const statement of [...NUMBERS, ...SHOP, ...ORDERS, 'drop table digits', 'drop table numbers']) {
    await run(db, statement)
  }
}
