import { type Guard, guardsIn } from './guard.ts'

const transact = guardsIn('db/src/transact.ts')
const pointQueries = guardsIn('server/src/points/queries.ts')
const orderQueries = guardsIn('server/src/orders/queries.ts')
const productQueries = guardsIn('server/src/products/queries.ts')
const migration = (name: string) => guardsIn(`db/src/migrations/${name}.ts`)

/** What the tables refuse by themselves, should everything before them fail. */
const wall = (name: string, guard: string, text: string, becomes = '') =>
  migration(name)(guard, text, becomes, 'db/last-walls')

/** Transactions, locks, and what the tables themselves refuse. */
export const GUARDS_OF_THE_DATABASE: Guard[] = [
  transact(
    'BEGIN',
    'const tx = await db.startTransaction().execute()',
    "const tx = await db.startTransaction().execute()\n  await tx.executeQuery((await import('kysely')).CompiledQuery.raw('commit'))",
    'db/transact',
  ),
  transact('COMMIT', 'await tx.commit().execute()', 'await tx.rollback().execute()', 'db/transact'),
  transact(
    'ROLLBACK',
    'await rollBack(tx)\n    throw error\n',
    'await tx.commit().execute()\n    throw error\n',
    'db/transact',
  ),
  transact(
    'retry of who was slower with a key',
    'isTransient(error) || isDuplicateKey(error)))',
    'isTransient(error)))',
    'races/one-key',
  ),
  transact('the last word of an unknown outcome', '!isUnknown &&', '', 'db/lost-connections'),
  guardsIn('db/src/pool.ts')(
    'READ COMMITTED',
    'isolation level read committed',
    'isolation level repeatable read',
    'db/transact',
  ),

  pointQueries(
    'lock of a wallet',
    "    .orderBy('user_id')\n    .forUpdate()",
    "    .orderBy('user_id')",
    'races/lock-queue',
  ),
  orderQueries(
    'lock of an order by a payment or a refund',
    "    .orderBy('id')\n    .forUpdate()",
    "    .orderBy('id')",
    'races/lock-queue',
  ),
  orderQueries(
    'lock of an order by cancel',
    'selectOrderOfUser(tx, userId, orderId).forUpdate()',
    'selectOrderOfUser(tx, userId, orderId)',
    'races/lock-queue',
  ),
  productQueries(
    'lock of stock',
    "productIds)\n    .orderBy('product_id')\n    .forUpdate()",
    "productIds)\n    .orderBy('product_id')",
    'races/lock-queue',
  ),

  pointQueries('order of the locks of wallets', "    .orderBy('user_id')\n", '', 'db/explain'),
  orderQueries(
    'order of the locks of orders',
    "    .orderBy('id')\n    .forUpdate()",
    '    .forUpdate()',
    'db/explain',
  ),
  productQueries('order of the locks of stock', "productIds)\n    .orderBy('product_id')", 'productIds)', 'db/explain'),
  guardsIn('server/src/products/service.ts')(
    'lock of a product that is changed',
    '  await queries.lockStock(tx, [productId]).execute()\n  return get',
    '  return get',
    'races/lock-queue',
  ),
  guardsIn('server/src/payments/service.ts')(
    'lock of an order before that of its wallet',
    '  const order = await orders.lock(tx, orderId)',
    "  await tx.selectFrom('points').select('id').forUpdate().execute()\n  const order = await orders.lock(tx, orderId)",
    'documents/transactions',
  ),

  migration('0007-orders')(
    'one order for each key',
    ".addUniqueConstraint('orders_key'",
    ".addIndex('orders_key'",
    'races/one-key',
    'db/last-walls',
  ),
  wall(
    '0002-points',
    'a wallet between 0 and 1,000,000',
    ".addCheckConstraint('points_range', sql`point between 0 and 1000000`)",
  ),
  wall('0001-users', 'one user for each name', ".addUniqueConstraint('users_name'", ".addIndex('users_name'"),
  wall('0003-stores', 'one store for each name', ".addUniqueConstraint('stores_name'", ".addIndex('stores_name'"),
  wall('0002-points', 'one wallet for each user', ".addUniqueConstraint('points_user'", ".addIndex('points_user'"),
  wall('0005-stock', 'no stock below 0', ".addCheckConstraint('stock_range', sql`stock >= 0`)"),
  wall('0005-stock', 'one stock for each product', ".addUniqueConstraint('stock_product'", ".addIndex('stock_product'"),
  wall(
    '0006-stock-changes',
    'one restock for each key',
    ".addUniqueConstraint('stock_changes_key'",
    ".addIndex('stock_changes_key'",
  ),
  wall(
    '0009-point-histories',
    'one charge for each key',
    ".addUniqueConstraint('point_histories_key'",
    ".addIndex('point_histories_key'",
  ),
  wall('0010-payments', 'one payment for each order', 'column.primaryKey()', 'column'),
  wall('0011-refunds', 'one refund for each order', 'column.primaryKey()', 'column'),
]
