import { type Guard, guardsIn } from './guard.ts'
import { POOL_GUARDS } from './pool-guards.ts'

const transact = guardsIn('db/src/transact.ts')
const lockQueries = guardsIn('server/src/payments/settlement/lock-queries.ts')
const pointQueries = guardsIn('server/src/points/queries.ts')
const orderQueries = guardsIn('server/src/orders/queries.ts')
const productQueries = guardsIn('server/src/products/queries.ts')
const migration = (name: string) => guardsIn(`db/src/migrations/${name}.ts`)

const TRANSACTION_GUARDS: Guard[] = [
  transact(
    'BEGIN',
    'const tx = await db.startTransaction().execute()',
    "const tx = await db.startTransaction().execute()\n  await tx.executeQuery((await import('kysely')).CompiledQuery.raw('commit'))",
    'db/transact',
  ),
  transact('COMMIT', 'await tx.commit().execute()', 'await tx.rollback().execute()', 'db/transact'),
  transact(
    'ROLLBACK',
    'await rollbackQuietly(tx)\n    throw error\n',
    'await tx.commit().execute()\n    throw error\n',
    'db/transact',
  ),
  transact(
    'retry after a duplicate key',
    'isTransient(error) || isDuplicateKey(error)))',
    'isTransient(error)))',
    'races/one-key',
  ),
  transact(
    'deadline before BEGIN',
    'if (deadline?.hasPassed) throw new DeadlineExceededError(lastFailure)',
    '',
    'db/transact',
  ),
  transact('deadline before COMMIT', 'if (deadline?.hasPassed) throw new DeadlineExceededError()', '', 'rpc/deadline'),
  transact('no retry after an unknown outcome', '!isUnknown &&', '', 'db/lost-connections'),
  guardsIn('db/src/session.ts')(
    'READ COMMITTED',
    'isolation level read committed',
    'isolation level repeatable read',
    'db/transact',
  ),
]

const LOCK_GUARDS: Guard[] = [
  pointQueries(
    'lock of a wallet by a charge or a refund',
    ".where('user_id', '=', userId)\n    .forUpdate()",
    ".where('user_id', '=', userId)",
    'races/lock-queue',
  ),
  lockQueries(
    'lock of wallets by payments',
    "    .orderBy('user_id')\n    .forUpdate()",
    "    .orderBy('user_id')",
    'documents/transactions',
  ),
  lockQueries(
    'lock of orders by payments',
    "orderIds)\n    .orderBy('id')\n    .forUpdate()",
    "orderIds)\n    .orderBy('id')",
    'races/lock-queue',
  ),
  orderQueries(
    'lock of an order by its key',
    "where('idempotency_key', '=', idempotencyKey).forUpdate()",
    "where('idempotency_key', '=', idempotencyKey)",
    'races/uncommitted-order',
  ),
  guardsIn('server/src/rpc/transactions.ts')(
    'invalidation after a lost COMMIT',
    '    } finally {\n      await onEnd?.()',
    '    } finally {\n      if (!resolveLostCommit) void onEnd',
    'faults/caches-after-lost-commit',
  ),
  orderQueries(
    'lock of an order by a refund',
    "return selectOrders(tx).where('id', '=', orderId).forUpdate()",
    "return selectOrders(tx).where('id', '=', orderId)",
    'documents/transactions',
  ),
  orderQueries(
    'lock of an order by a cancellation',
    'selectOrderOfUser(tx, userId, orderId).forUpdate()',
    'selectOrderOfUser(tx, userId, orderId)',
    'races/lock-queue',
  ),
  lockQueries(
    'lock of stock by payments',
    "forceIndex('stock', 'stock_product'))\n    .select(['product_id as productId', 'stock'])\n    .where('product_id', 'in', productIds)\n    .orderBy('product_id')\n    .forUpdate()",
    "forceIndex('stock', 'stock_product'))\n    .select(['product_id as productId', 'stock'])\n    .where('product_id', 'in', productIds)\n    .orderBy('product_id')",
    'races/lock-queue',
  ),
  productQueries(
    'lock of stock by a refund or a change of a product',
    "productIds)\n    .orderBy('product_id')\n    .forUpdate()",
    "productIds)\n    .orderBy('product_id')",
    'races/lock-queue',
  ),
  guardsIn('server/src/users/service.ts')(
    'lock of a wallet before the removal of its user',
    '  await points.lock(tx, userId)\n',
    '',
    'races/lock-queue',
  ),
  guardsIn('server/src/payments/settlement/lock-rows.ts')(
    'lock of contended users only with their wallets',
    'tried: { acquiredWallets }',
    'tried: { wallets: acquiredWallets }',
    'races/contended-batches',
  ),
  guardsIn('server/src/payments/settlement/lock-rows.ts')(
    'lock of contended products only with their stock',
    'tried: { acquiredStock } }: Stock',
    'tried: { stock: acquiredStock } }: Stock',
    'races/contended-batches',
  ),
  guardsIn('server/src/products/service.ts')(
    'lock of a product before a change',
    '  await queries.lockStock(tx, [productId]).execute()\n  return get',
    '  return get',
    'races/lock-queue',
  ),

  lockQueries('order of the locks of wallets', "    .orderBy('user_id')\n", '', 'db/explain'),
  lockQueries(
    'order of the locks of orders',
    "orderIds)\n    .orderBy('id')\n    .forUpdate()",
    'orderIds)\n    .forUpdate()',
    'db/explain',
  ),
  lockQueries(
    'order of the locks of stock by payments',
    "'stock'])\n    .where('product_id', 'in', productIds)\n    .orderBy('product_id')",
    "'stock'])\n    .where('product_id', 'in', productIds)",
    'db/explain',
  ),
  productQueries(
    'order of the locks of stock by a refund',
    "productIds)\n    .orderBy('product_id')",
    'productIds)',
    'db/explain',
  ),
  guardsIn('server/src/payments/service.ts')(
    'lock of an order before the lock of its wallet',
    '  const order = await orders.lock(tx, orderId)',
    "  await tx.selectFrom('points').select('id').forUpdate().execute()\n  const order = await orders.lock(tx, orderId)",
    'documents/transactions',
  ),
]

/** A constraint of a table: it rejects rows that the code before it should never write. */
const constraint = (name: string, guard: string, text: string, replacement = '') =>
  migration(name)(guard, text, replacement, 'db/constraints')

const CONSTRAINT_GUARDS: Guard[] = [
  migration('0007-orders')(
    'one order for each key',
    ".addUniqueConstraint('orders_key'",
    ".addIndex('orders_key'",
    'races/one-key',
    'db/constraints',
  ),
  constraint(
    '0002-points',
    'balance between 0 and 1,000,000',
    ".addCheckConstraint('points_range', sql`point between 0 and 1000000`)",
  ),
  constraint('0016-name-keys', 'one user or store for each name', 'add unique index', 'add index'),
  constraint(
    '0002-points',
    'one wallet for each user',
    ".addUniqueConstraint('points_user'",
    ".addIndex('points_user'",
  ),
  constraint('0005-stock', 'stock of at least 0', ".addCheckConstraint('stock_range', sql`stock >= 0`)"),
  constraint(
    '0005-stock',
    'one stock row for each product',
    ".addUniqueConstraint('stock_product'",
    ".addIndex('stock_product'",
  ),
  constraint(
    '0006-stock-changes',
    'one stock change for each key',
    ".addUniqueConstraint('stock_changes_key'",
    ".addIndex('stock_changes_key'",
  ),
  constraint(
    '0009-point-histories',
    'one charge for each key',
    ".addUniqueConstraint('point_histories_key'",
    ".addIndex('point_histories_key'",
  ),
  constraint('0010-payments', 'one payment for each order', 'column.primaryKey()', 'column'),
  constraint('0011-refunds', 'one refund for each order', 'column.primaryKey()', 'column'),
]

const migrate = guardsIn('db/src/migrate.ts')
const migrationLock = guardsIn('db/src/migration-lock.ts')

const MIGRATION_GUARDS: Guard[] = [
  migrationLock(
    'migration lock named by the database',
    'update(database.toLowerCase())',
    "update('all databases')",
    'db/migrate.long',
  ),
  migrate(
    'check that no migration of this version is missing on a newer schema',
    '(newer.length > 0 && pending.length > 0)',
    'false',
    'db/migrate.long',
  ),
  migrate('check for migrations of another branch', 'if (foreign.length > 0 ||', 'if (', 'db/migrate.long'),
]

const START_GUARDS: Guard[] = [
  guardsIn('db/src/access-check.ts')(
    'privileges are tried at start',
    'if (denied.size > 0) throw',
    'if (denied.size > 99) throw',
    'db/server-start',
  ),
  guardsIn('server/src/main.ts')(
    'the privilege to delete events is tried at start',
    'config.kafka.retentionDays > 0 }',
    'config.kafka.retentionDays > 9_999 }',
    'process/main',
  ),
  guardsIn('db/src/server-check.ts')(
    'a keyspace of several shards is refused',
    'if (shards.length <= 1) return []',
    'return []',
    'db/server-start',
  ),
  guardsIn('db/src/migrate.ts')(
    'a server that rejects a setting of the session is refused with what to set',
    'throw new ServerError([...versionProblems(version), settingProblem(statement, errorMessage(error as Error))])',
    'throw error',
    'db/server-start',
  ),
  guardsIn('db/src/server-check.ts')(
    'binlog_format is checked',
    "session.binlog_format !== 'STATEMENT'",
    "session.binlog_format !== 'NONE'",
    'db/server-check',
  ),
]

/** Connections, transactions, locks, constraints and migrations. */
export const DATABASE_GUARDS: Guard[] = [
  ...START_GUARDS,
  ...POOL_GUARDS,
  ...TRANSACTION_GUARDS,
  ...LOCK_GUARDS,
  ...CONSTRAINT_GUARDS,
  ...MIGRATION_GUARDS,
]
