import { type Guard, guardsIn } from './guard.ts'

const decide = guardsIn('server/src/payments/settlement/decide.ts')
const lockRows = guardsIn('server/src/payments/settlement/lock-rows.ts')
const lockQueries = guardsIn('server/src/payments/settlement/lock-queries.ts')
const payments = guardsIn('server/src/payments/service.ts')
const orders = guardsIn('server/src/orders/service.ts')
const orderQueries = guardsIn('server/src/orders/queries.ts')
const points = guardsIn('server/src/points/service.ts')
const products = guardsIn('server/src/products/service.ts')
const offers = guardsIn('server/src/products/offers.ts')
const stock = guardsIn('server/src/products/stock.ts')
const procedures = guardsIn('server/src/rpc/procedures.ts')

const AMOUNT_GUARDS: Guard[] = [
  decide('balance check', 'if (wallet.balance < total)', 'if (wallet.balance < 0)', 'payments/pay'),
  decide(
    'balance check with the exact balance',
    'if (wallet.balance < total)',
    'if (wallet.balance <= total)',
    'payments/pay',
  ),
  points('balance limit check', 'if (balance > BALANCE_MAX)', 'if (balance > Infinity)', 'points/charge'),
  points(
    'balance limit check with the exact limit',
    'if (balance > BALANCE_MAX)',
    'if (balance >= BALANCE_MAX)',
    'points/charge',
  ),
  guardsIn('server/src/points/point-schemas.ts')(
    'balance limit of 1,000,000',
    'BALANCE_MAX = 1_000_000',
    'BALANCE_MAX = 999_999',
    'points/charge',
  ),

  stock('stock check', 'if (available < quantity)', 'if (available < 0)', 'payments/pay'),
  stock(
    'stock check with the exact quantity',
    'if (available < quantity)',
    'if (available <= quantity)',
    'orders/checkout',
  ),
  orders('stock check of orders.place', 'await stock.requireStock(tx, priced.items)', '', 'orders/place'),
  products('stock check of products.restock', 'if (stock < 0)', 'if (stock < -Infinity)', 'products/restock'),

  offers(
    'price check after a price reduction',
    'if (offer.price !== line.price)',
    'if (offer.price > line.price)',
    'orders/checkout',
  ),
  offers(
    'price check after a price increase',
    'if (offer.price !== line.price)',
    'if (offer.price < line.price)',
    'orders/place',
  ),
  lockQueries(
    'check of orders.checkout that products are not removed',
    ".where('id', 'in', productIds)\n    .where('deleted_at', 'is', null)",
    ".where('id', 'in', productIds)",
    'orders/checkout',
  ),
  guardsIn('server/src/products/queries.ts')(
    'check of orders.place that products are not removed',
    ".where('id', 'in', productIds)\n    .where('deleted_at', 'is', null)",
    ".where('id', 'in', productIds)",
    'products/remove',
  ),
]

const ACCESS_GUARDS: Guard[] = [
  orderQueries(
    'ownership check of orders.get',
    "where('id', '=', orderId).where('user_id', '=', userId)",
    "where('id', '=', orderId)",
    'orders/get',
  ),
  orderQueries(
    'ownership check of orders.cancel',
    'return selectOrderOfUser(tx, userId, orderId).forUpdate()',
    "return selectOrders(tx).where('id', '=', orderId).forUpdate()",
    'orders/cancel',
  ),
  orderQueries(
    'ownership check of orders.list',
    "    .where('user_id', '=', userId)\n  if (status",
    '  if (status',
    'orders/list',
  ),
  decide(
    'ownership check of payments.pay',
    'order?.userId !== userId',
    'order === undefined',
    'settlement/batch-equivalence',
  ),
  lockRows(
    'ownership check of the rows that payments.pay reads',
    'requested.has(ownedKey(id, userId))',
    'requested.has(ownedKey(id, userId)) || userId > 0',
    'refusals/ownership',
  ),
  guardsIn('server/src/payments/queries.ts')(
    'ownership check of payments.get',
    ".where('user_id', '=', userId)",
    '',
    'payments/get',
  ),
  guardsIn('server/src/points/queries.ts')(
    'ownership check of points.histories',
    ".where('points.user_id', '=', page.userId)",
    '',
    'points/histories',
  ),

  guardsIn('client-sdk/src/retry-link.ts')(
    'proof that a refusal is final',
    'serverTime >= latestDeadline(undecided) + this.#policy.clockSkewMs',
    'serverTime >= 0',
    'client-sdk/undecided',
  ),
  guardsIn('client-sdk/src/attempt.ts')(
    'no request after its attempt has ended',
    'if (finished.signal.aborted) return undefined',
    '',
    'client-sdk/token',
  ),
  procedures('user check of reads', '|| !(await ctx.userExistenceCache.has(userId))', '', 'users/remove'),
  decide(
    'user check of payments',
    "if (!wallet) throw new Refusal('user_not_found')",
    'if (!wallet) throw new Error()',
    'refusals/precedence',
  ),
  guardsIn('server/src/payments/settlement/batch-size.ts')(
    'bound of the order lines of a batch',
    'this.#largeLines + lines > LARGE_LINES_MAX',
    'this.#largeLines + lines > Infinity',
    'settlement/queue',
  ),
  guardsIn('server/src/payments/settlement/settle-batch.ts')(
    'deadline before the COMMIT of a batch',
    'if (isWritten && timely[index]?.deadline?.hasPassed)',
    'if (!isWritten && timely[index]?.deadline?.hasPassed)',
    'settlement/late-requests',
  ),
  guardsIn('server/src/payments/settlement/settle-batch.ts')(
    'deadlines when a batch begins',
    'deadline.remainingMs >= reserveMs',
    'deadline.remainingMs >= 0',
    'settlement/late-requests',
  ),
  guardsIn('server/src/payments/settlement/find-writes.ts')(
    'lock of a wallet before payments are read back',
    'wallet: lockWallets(tx, [first.userId]),',
    '',
    'settlement/lost-commit',
  ),
  guardsIn('server/src/payments/settlement/find-writes.ts')(
    'comparison of payments that are read back',
    'payment.balance === balance &&',
    'payment.balance >= 0 &&',
    'settlement/lost-commit',
  ),
  lockRows(
    'removed user check of payments',
    'first.wallets.filter(({ userId }) => first.activeUsers.has(userId))',
    'first.wallets',
    'users/remove',
  ),
  points('removed user check of points.charge', 'if (!wallet || !user)', 'if (!wallet)', 'users/remove'),
  procedures('role check of an admin', 'if (!admin)', 'if (admin === undefined)', 'auth/tokens'),
  procedures(
    'role check of a user',
    "if (userId === undefined) throw new Refusal('not_allowed')\n      await",
    "if (userId === undefined) throw new Refusal('token_missing')\n      await",
    'auth/tokens',
  ),
]

const REPEAT_GUARDS: Guard[] = [
  points(
    'key lookup of points.charge',
    'if (earlier) {',
    'if (earlier && earlier.amount !== amount) {',
    'points/charge',
  ),
  points('key check of points.charge', 'if (earlier.amount !== amount)', 'if (earlier.amount < 0)', 'points/charge'),
  orders('key lookup of orders.place', 'if (row) {', 'if (row && row.id < 0) {', 'orders/place'),
  orders('key check of orders.place', 'if (!hasSameItems(earlier, items))', 'if (earlier.id < 0)', 'orders/place'),
  decide('key lookup of orders.checkout', 'if (earlier) {', 'if (earlier && earlier.id < 0) {', 'orders/checkout'),
  decide('key check of orders.checkout', ' || !orders.hasSameItems(earlier, request.items)', '', 'orders/checkout'),
  decide('key check of orders.checkout for a pending order', '!earlier.paidAt || ', '', 'orders/checkout'),
  products(
    'key lookup of products.restock',
    'if (earlier) {',
    'if (earlier && earlier.change !== quantity) {',
    'products/restock',
  ),
  products(
    'key check of products.restock',
    'if (earlier.change !== quantity)',
    'if (earlier.change === 0)',
    'products/restock',
  ),

  decide('status check of payments.pay', "if (order.status !== 'pending')", 'if (order.id < 0)', 'payments/pay'),
  decide('replay of payments.pay', "if (order.status === 'paid') return", 'if (order.id < 0) return', 'payments/pay'),
  orders('status check of orders.cancel', "if (order.status !== 'pending')", 'if (order.id < 0)', 'orders/cancel'),
  payments(
    'status check of payments.refund',
    "if (order.status !== 'paid' || !order.paidAt)",
    'order.paidAt ??= now\n  if (order.id < 0)',
    'payments/refund',
  ),
  payments('replay of payments.refund', "if (order.status === 'refunded')", 'if (order.id < 0)', 'payments/refund'),
]

/** An event that a service inserts as an object literal. */
const insertedEvent = (guards: ReturnType<typeof guardsIn>, type: string, test: string) =>
  guards(`event ${type}`, `await insertEvent(tx, { type: '${type}'`, `void ({ type: '${type}'`, test)

const EVENT_GUARDS: Guard[] = [
  insertedEvent(points, 'points.charged', 'points/charge'),
  orders(
    'event order.placed',
    'await insertEvent(tx, { ...orderPlacedEvent(userId, order), traceparent })',
    '',
    'orders/place',
  ),
  insertedEvent(orders, 'order.cancelled', 'orders/cancel'),
  guardsIn('server/src/payments/settlement/write-sales.ts')(
    'event order.paid of orders.checkout',
    ': [{ ...orders.orderPlacedEvent(userId, order), traceparent }, paid]',
    ': [{ ...orders.orderPlacedEvent(userId, order), traceparent }]',
    'orders/checkout',
  ),
  insertedEvent(payments, 'order.refunded', 'payments/refund'),
  insertedEvent(products, 'product.restocked', 'products/restock'),
  insertedEvent(products, 'product.created', 'products/create'),
  insertedEvent(products, 'product.changed', 'products/update'),
  insertedEvent(products, 'product.removed', 'products/remove'),
]

const TRENDING_GUARDS: Guard[] = [
  guardsIn('server/src/products/queries.ts')(
    'exclusion of sales in the future',
    "    .where('hour', '<=', through)\n",
    '',
    'products/trending',
  ),
]

/** The rules of the shop. */
export const RULE_GUARDS: Guard[] = [
  ...AMOUNT_GUARDS,
  ...ACCESS_GUARDS,
  ...REPEAT_GUARDS,
  ...EVENT_GUARDS,
  ...TRENDING_GUARDS,
]
