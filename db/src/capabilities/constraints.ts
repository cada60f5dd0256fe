/** Identifies the rows of one trial. */
export interface TrialRow {
  /** The id of one row of each table. The next one belongs to a second user and a second order, and `id + 2` to a row that is refused. */
  id: number
  /** A UUID. */
  key: string
}

export type ConstraintKind = 'checkConstraints' | 'uniqueKeys' | 'foreignKeys'

export interface Constraint {
  table: string
  name: string
  kind: ConstraintKind
  /** Statements that violate this constraint and no other one. */
  violations: (row: TrialRow) => string[]
}

/*
 * A row that repeats a unique key locks the gap before the existing row. Names are repeated only directly after another row of the trial,
 * so that no user and no store of the shop belongs into that gap. The other keys begin with a negative id.
 */

/** Statements that insert a row into each table that has constraints. Parents precede their children. */
export const trialRows = ({ id, key }: TrialRow): string[] => [
  `insert into users (id, name, name_key) values (${id}, 'start-check', 'start-check:${key}'), (${id + 1}, 'start-check', 'start-check:${key}:2')`,
  `insert into points (id, user_id, point) values (${id}, ${id}, 0)`,
  `insert into stores (id, name, name_key) values (${id}, 'start-check', 'start-check:${key}'), (${id + 1}, 'start-check', 'start-check:${key}:2')`,
  `insert into products (id, store_id, name, price) values (${id}, ${id}, 'start-check', 0)`,
  `insert into stock (id, product_id, stock) values (${id}, ${id}, 0)`,
  `insert into stock_changes (id, product_id, \`change\`, reason, idempotency_key) values (${id}, ${id}, 1, 'STOCKED', '${key}')`,
  `insert into orders (id, user_id, status, total_price, idempotency_key) values (${id}, ${id}, 'pending', 0, '${key}'), (${id + 1}, ${id + 1}, 'pending', 0, '${key}')`,
  `insert into order_products (id, order_id, product_id, product_name, price, \`count\`) values (${id}, ${id}, ${id}, 'start-check', 0, 1)`,
  `insert into point_histories (id, point_id, point, balance, use_type, idempotency_key) values (${id}, ${id}, 0, 0, 'CHARGE', '${key}')`,
  `insert into payments (order_id, user_id, amount) values (${id}, ${id}, 0)`,
  `insert into refunds (order_id, amount) values (${id}, 0)`,
  `insert into product_sales (product_id, \`hour\`, \`count\`) values (${id}, '2000-01-01', 0)`,
  `insert into outbox_cursors (name, position) values ('start-check:${key}', 0)`,
]

/** A change of the row `id` that a CHECK constraint refuses. */
const check = (table: string, name: string, changes: string[], idColumn = 'id'): Constraint => ({
  table,
  name,
  kind: 'checkConstraints',
  violations: ({ id }) => changes.map((change) => `update ${table} set ${change} where ${idColumn} = ${id}`),
})

/** A second row with a key that exists. */
const unique = (table: string, name: string, columns: string, values: (row: TrialRow) => string): Constraint => ({
  table,
  name,
  kind: 'uniqueKeys',
  violations: (row) => [`insert into ${table} (${columns}) values (${values(row)})`],
})

/** A row whose parent does not exist: `parent` is the id of none. */
const foreign = (
  table: string,
  name: string,
  columns: string,
  values: (row: TrialRow & { parent: number }) => string,
): Constraint => ({
  table,
  name,
  kind: 'foreignKeys',
  violations: (row) => [`insert into ${table} (${columns}) values (${values({ ...row, parent: row.id + 3 })})`],
})

const ORDER = 'id, user_id, status, total_price, idempotency_key'
const LINE = 'id, order_id, product_id, product_name, price, `count`'
const HISTORY = 'id, point_id, point, balance, use_type, order_id, idempotency_key'

/** Every constraint of the tables, except keys that contain an id that the database assigns. */
export const CONSTRAINTS: Constraint[] = [
  check('points', 'points_range', ['point = -1', 'point = 1000001']),
  check('products', 'products_price_range', ['price = -1']),
  check('products', 'products_sales_volume_range', ['sales_volume = -1']),
  check('stock', 'stock_range', ['stock = -1']),
  check('stock_changes', 'stock_changes_reason', ["reason = 'OTHER'"]),
  check('orders', 'orders_status', ["status = 'other'"]),
  check('orders', 'orders_total_price_range', ['total_price = -1']),
  check('order_products', 'order_products_range', ['price = -1', '`count` = 0']),
  check('point_histories', 'point_histories_balance_range', ['balance = -1', 'balance = 1000001']),
  check('point_histories', 'point_histories_use_type', ["use_type = 'OTHER'"]),
  check('payments', 'payments_amount_range', ['amount = -1'], 'order_id'),
  check('refunds', 'refunds_amount_range', ['amount = -1'], 'order_id'),

  unique(
    'users',
    'users_name_key',
    'id, name, name_key',
    ({ id, key }) => `${id + 2}, 'start-check', 'start-check:${key}:2'`,
  ),
  unique('points', 'points_user', 'id, user_id, point', ({ id }) => `${id + 2}, ${id}, 0`),
  unique(
    'stores',
    'stores_name_key',
    'id, name, name_key',
    ({ id, key }) => `${id + 2}, 'start-check', 'start-check:${key}:2'`,
  ),
  unique('stock', 'stock_product', 'id, product_id, stock', ({ id }) => `${id + 2}, ${id}, 0`),
  unique(
    'stock_changes',
    'stock_changes_key',
    'id, product_id, `change`, reason, idempotency_key',
    ({ id, key }) => `${id + 2}, ${id}, 1, 'STOCKED', '${key}'`,
  ),
  unique('orders', 'orders_key', ORDER, ({ id, key }) => `${id + 2}, ${id}, 'pending', 0, '${key}'`),
  unique('order_products', 'order_products_line', LINE, ({ id }) => `${id + 2}, ${id}, ${id}, 'start-check', 0, 1`),
  unique(
    'point_histories',
    'point_histories_key',
    HISTORY,
    ({ id, key }) => `${id + 2}, ${id}, 0, 0, 'CHARGE', null, '${key}'`,
  ),
  unique('payments', 'PRIMARY', 'order_id, user_id, amount', ({ id }) => `${id}, ${id + 1}, 0`),
  unique('refunds', 'PRIMARY', 'order_id, amount', ({ id }) => `${id}, 0`),
  unique('product_sales', 'PRIMARY', 'product_id, `hour`, `count`', ({ id }) => `${id}, '2000-01-01', 0`),
  unique('outbox_cursors', 'PRIMARY', 'name, position', ({ key }) => `'start-check:${key}', 0`),

  foreign('points', 'points_user_exists', 'id, user_id, point', ({ id, parent }) => `${id + 2}, ${parent}, 0`),
  foreign(
    'products',
    'products_store_exists',
    'id, store_id, name, price',
    ({ id, parent }) => `${id + 2}, ${parent}, 'start-check', 0`,
  ),
  foreign(
    'orders',
    'orders_user_exists',
    ORDER,
    ({ id, key, parent }) => `${id + 2}, ${parent}, 'pending', 0, '${key}'`,
  ),
  foreign(
    'order_products',
    'order_products_order_exists',
    LINE,
    ({ id, parent }) => `${id + 2}, ${parent}, ${id}, 'start-check', 0, 1`,
  ),
  foreign(
    'point_histories',
    'point_histories_point_exists',
    HISTORY,
    ({ id, key, parent }) => `${id + 2}, ${parent}, 0, 0, 'CHARGE', null, '${key}'`,
  ),
  foreign(
    'point_histories',
    'point_histories_order_exists',
    HISTORY,
    ({ id, parent }) => `${id + 2}, ${id}, 0, 0, 'CHARGE', ${parent}, null`,
  ),
  foreign('payments', 'payments_order_exists', 'order_id, user_id, amount', ({ id, parent }) => `${parent}, ${id}, 0`),
  foreign(
    'payments',
    'payments_user_exists',
    'order_id, user_id, amount',
    ({ id, parent }) => `${id + 1}, ${parent}, 0`,
  ),
  foreign('refunds', 'refunds_order_exists', 'order_id, amount', ({ parent }) => `${parent}, 0`),
]
