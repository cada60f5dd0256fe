import { GUARDS_OF_THE_DATABASE } from './database-guards.ts'
import { type Guard, guardsIn } from './guard.ts'

const settlement = guardsIn('server/src/payments/settlement/decide.ts')
const batch = guardsIn('server/src/payments/settlement/settle-batch.ts')
const payments = guardsIn('server/src/payments/service.ts')
const paymentQueries = guardsIn('server/src/payments/queries.ts')
const orders = guardsIn('server/src/orders/service.ts')
const orderQueries = guardsIn('server/src/orders/queries.ts')
const points = guardsIn('server/src/points/service.ts')
const pointQueries = guardsIn('server/src/points/queries.ts')
const products = guardsIn('server/src/products/service.ts')
const sales = guardsIn('server/src/products/stock.ts')
const procedures = guardsIn('server/src/rpc/procedures.ts')

/** Every rule, and what keeps it. */
const GUARDS_OF_RULES: Guard[] = [
  settlement('balance check', 'if (wallet.balance < amount)', 'if (wallet.balance < 0)', 'payments/pay'),
  settlement(
    'balance check, to the point',
    'if (wallet.balance < amount)',
    'if (wallet.balance <= amount)',
    'payments/pay',
  ),
  points('limit check of 1,000,000', 'if (balance > BALANCE_MAX)', 'if (balance > Infinity)', 'points/charge'),
  points('limit check, to the point', 'if (balance > BALANCE_MAX)', 'if (balance >= BALANCE_MAX)', 'points/charge'),
  points('limit of 1,000,000', 'BALANCE_MAX = 1_000_000', 'BALANCE_MAX = 999_999', 'points/charge'),

  sales('stock check', 'if (available < quantity)', 'if (available < 0)', 'payments/pay'),
  sales('stock check, to the piece', 'if (available < quantity)', 'if (available <= quantity)', 'orders/checkout'),
  orders('stock check of place', 'await sales.requireStock(tx, draft.items)', '', 'orders/place'),
  products('stock check of restock', 'if (stock < 0)', 'if (stock < -Infinity)', 'products/restock'),

  sales('price check', 'if (offer.price !== line.price)', 'if (offer.price > line.price)', 'orders/checkout'),
  sales(
    'price check of what costs more now',
    'if (offer.price !== line.price)',
    'if (offer.price < line.price)',
    'orders/place',
  ),
  guardsIn('server/src/products/queries.ts')(
    'removal check of what is ordered',
    ".where('id', 'in', productIds)\n    .where('deleted_at', 'is', null)",
    ".where('id', 'in', productIds)",
    'orders/checkout',
  ),

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
    "    .where('user_id', '=', userId)\n    .$if",
    '    .$if',
    'orders/list',
  ),
  settlement('ownership check of payments.pay', 'order?.userId !== userId', 'order === undefined', 'settlement/law'),
  guardsIn('server/src/payments/settlement/lock-rows.ts')(
    'ownership check of what payments.pay reads',
    'asked.has(ownedKey(id, userId))',
    'asked.has(ownedKey(id, userId)) || userId > 0',
    'refusals/ownership',
  ),
  paymentQueries('ownership check of payments.get', ".where('user_id', '=', userId)", '', 'payments/get'),
  pointQueries(
    'ownership check of points.histories',
    ".where('points.user_id', '=', page.userId)",
    '',
    'points/histories',
  ),

  points('key lookup of charge', 'if (earlier) {', 'if (earlier && earlier.amount !== amount) {', 'points/charge'),
  points('key check of charge', 'if (earlier.amount !== amount)', 'if (earlier.amount < 0)', 'points/charge'),
  orders('key lookup of place', 'if (row) {', 'if (row && row.id < 0) {', 'orders/place'),
  orders('key check of place', 'if (!asksFor(earlier, call.items))', 'if (earlier.id < 0)', 'orders/place'),
  settlement('key lookup of checkout', 'if (earlier) {', 'if (earlier && earlier.id < 0) {', 'orders/checkout'),
  settlement('key check of checkout', ' || !orders.asksFor(earlier, items)', '', 'orders/checkout'),
  settlement('key check of checkout, for a pending order', '!earlier.paidAt || ', '', 'orders/checkout'),
  products(
    'key lookup of restock',
    'if (earlier) {',
    'if (earlier && earlier.change !== quantity) {',
    'products/restock',
  ),
  products('key check of restock', 'if (earlier.change !== quantity)', 'if (earlier.change === 0)', 'products/restock'),

  settlement('status check of pay', "if (order.status !== 'pending')", 'if (order.id < 0)', 'payments/pay'),
  settlement('replay of pay', "if (order.status === 'paid') return", 'if (order.id < 0) return', 'payments/pay'),
  orders('status check of cancel', "if (order.status !== 'pending')", 'if (order.id < 0)', 'orders/cancel'),
  payments(
    'status check of refund',
    "if (order.status !== 'paid' || !order.paidAt)",
    'order.paidAt ??= now\n  if (order.id < 0)',
    'payments/refund',
  ),
  payments('replay of refund', "if (order.status === 'refunded')", 'if (order.id < 0)', 'payments/refund'),

  procedures('user check of reads', '|| !(await ctx.directory.has(userId))', '', 'users/remove'),
  settlement(
    'user check of payments',
    "if (!wallet) throw new Refusal('user_not_found')",
    'if (!wallet) throw new Error()',
    'refusals/precedence',
  ),
  guardsIn('server/src/payments/settlement/lock-rows.ts')(
    'removed user check of payments',
    '(wallet.active ? [[wallet.userId, wallet]] : [])',
    '[[wallet.userId, wallet]]',
    'users/remove',
  ),
  points('removed user check of charge', 'if (!wallet.active)', 'if (wallet.id < 0)', 'users/remove'),
  procedures('role check of an admin', 'if (!admin)', 'if (admin === undefined)', 'auth/tokens'),
  procedures(
    'role check of a user',
    "if (userId === undefined) throw new Refusal('not_allowed')\n      await",
    "if (userId === undefined) throw new Refusal('token_missing')\n      await",
    'auth/tokens',
  ),

  points(
    'event of a charge',
    "await emit(tx, { type: 'points.charged'",
    "void ({ type: 'points.charged'",
    'points/charge',
  ),
  orders('event of place', 'await emit(tx, placed(call.userId, order))', '', 'orders/place'),
  orders(
    'event of cancel',
    "await emit(tx, { type: 'order.cancelled'",
    "void ({ type: 'order.cancelled'",
    'orders/cancel',
  ),
  batch(
    'event of a payment',
    ': [orders.placed(userId, { ...order, id: orderId }), paid]',
    ': [orders.placed(userId, { ...order, id: orderId })]',
    'orders/checkout',
  ),
  payments(
    'event of refund',
    "await emit(tx, { type: 'order.refunded'",
    "void ({ type: 'order.refunded'",
    'payments/refund',
  ),
  products(
    'event of restock',
    "await emit(tx, { type: 'product.restocked'",
    "void ({ type: 'product.restocked'",
    'products/restock',
  ),
  products(
    'event of a new product',
    "await emit(tx, { type: 'product.created'",
    "void ({ type: 'product.created'",
    'products/create',
  ),
  products(
    'event of a changed product',
    "await emit(tx, { type: 'product.changed'",
    "void ({ type: 'product.changed'",
    'products/update',
  ),
  products(
    'event of a removed product',
    "await emit(tx, { type: 'product.removed'",
    "void ({ type: 'product.removed'",
    'products/remove',
  ),
]

export const GUARDS: Guard[] = [...GUARDS_OF_RULES, ...GUARDS_OF_THE_DATABASE]
