import type { Pool } from '@pointwise/db'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { emptyDatabase, run } from '../setup/database.ts'
import { errorOf } from '../setup/refusals.ts'

const DUPLICATE = [1062]
/** The errno of MySQL and that of MariaDB. */
const OUT_OF_RANGE = [3819, 4025]
const KEY = "'00000000-0000-4000-8000-000000000000'"

let db: Pool
beforeAll(async () => {
  ;({ db } = await emptyDatabase({ connections: 1 }))
  for (const row of [
    "insert into users (id, name, name_key) values (1, 'Ada', 'ADA')",
    'insert into points (id, user_id, point) values (1, 1, 5)',
    "insert into stores (id, name, name_key) values (1, 'Corner', 'CORNER')",
    "insert into products (id, store_id, name, price) values (1, 1, 'tea', 3)",
    'insert into stock (product_id, stock) values (1, 4)',
    `insert into stock_changes (product_id, \`change\`, reason, idempotency_key) values (1, 4, 'STOCKED', ${KEY})`,
    `insert into orders (id, user_id, status, total_price, idempotency_key) values (1, 1, 'paid', 3, ${KEY})`,
    "insert into order_products (order_id, product_id, product_name, price, `count`) values (1, 1, 'tea', 3, 1)",
    `insert into point_histories (point_id, point, balance, use_type, idempotency_key) values (1, 8, 8, 'CHARGE', ${KEY})`,
    'insert into payments (order_id, user_id, amount) values (1, 1, 3)',
    'insert into refunds (order_id, amount) values (1, 3)',
  ]) {
    await run(db, row)
  }
})
afterAll(() => db.destroy())

describe('a constraint of the tables rejects a', () => {
  test.each([
    ['balance below 0', 'update points set point = -1', OUT_OF_RANGE],
    ['balance above 1,000,000', 'update points set point = 1000001', OUT_OF_RANGE],
    [
      'history of a balance below 0',
      "insert into point_histories (point_id, point, balance, use_type) values (1, -9, -1, 'USE')",
      OUT_OF_RANGE,
    ],
    ['stock below 0', 'update stock set stock = stock - 5', OUT_OF_RANGE],
    ['price below 0', 'update products set price = -1', OUT_OF_RANGE],
    ['line with a count of 0', 'update order_products set `count` = 0', OUT_OF_RANGE],
    ['status that is not defined', "update orders set status = 'lost'", OUT_OF_RANGE],
    ['second user with a name', "insert into users (name, name_key) values ('ADA', 'ADA')", DUPLICATE],
    ['second store with a name', "insert into stores (name, name_key) values ('CORNER', 'CORNER')", DUPLICATE],
    ['second wallet of a user', 'insert into points (user_id, point) values (1, 0)', DUPLICATE],
    ['second stock row of a product', 'insert into stock (product_id, stock) values (1, 4)', DUPLICATE],
    [
      'second charge with an idempotency key',
      `insert into point_histories (point_id, point, balance, use_type, idempotency_key) values (1, 8, 16, 'CHARGE', ${KEY})`,
      DUPLICATE,
    ],
    [
      'second order with an idempotency key',
      `insert into orders (user_id, status, total_price, idempotency_key) values (1, 'pending', 3, ${KEY})`,
      DUPLICATE,
    ],
    [
      'second stock change with an idempotency key',
      `insert into stock_changes (product_id, \`change\`, reason, idempotency_key) values (1, 4, 'RESTOCKED', ${KEY})`,
      DUPLICATE,
    ],
    [
      'second line of a product in an order',
      "insert into order_products (order_id, product_id, product_name, price, `count`) values (1, 1, 'tea', 3, 1)",
      DUPLICATE,
    ],
    ['second payment of an order', 'insert into payments (order_id, user_id, amount) values (1, 1, 3)', DUPLICATE],
    ['second refund of an order', 'insert into refunds (order_id, amount) values (1, 3)', DUPLICATE],
  ])('%s', async (_, statement, errnos) => {
    const { errno } = (await errorOf(run(db, statement))) as { errno?: number }

    expect(errnos).toContain(errno)
  })
})
