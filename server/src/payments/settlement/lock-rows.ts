import { executeBatch, type Tx } from '@pointwise/db'
import * as orders from '../../orders/service.ts'
import * as stock from '../../products/stock.ts'
import { chooseBatch, recordProducts } from './batch-size.ts'
import { classifyContendedRows, type IsContended, type LockAttempt, type RowKey } from './contended-rows.ts'
import { type CheckoutRequest, checkoutKey, type SettlementRequest, type SettlementState } from './decide.ts'
import * as queries from './lock-queries.ts'
import { PlaceholderOrderIds } from './placeholder-order-ids.ts'

/** The statements with which a batch locks rows, for the check at start that the database server obeys them. */
export const LOCKING_STATEMENTS = {
  orders: queries.lockOrders,
  wallets: queries.lockWallets,
  stock: queries.lockStock,
}

export interface LockedBatch extends LockAttempt {
  state: SettlementState
  /** Whether each request fits into the transaction. The stock of the others is not locked. */
  isFitting: boolean[]
  /** The requests that fit. */
  fitting: readonly SettlementRequest[]
  /** For each of them, the rows that have to be locked for it. */
  neededRows: RowKey[][]
}

/**
 * Locks and reads the rows that the requests name, in two round trips: first orders and wallets, then stock, each by
 * ascending id. A contended row is tried with SKIP LOCKED, so that the batch never waits for it. A third round trip locks the
 * rows of contended products whose stock was acquired.
 */
export async function lockAndLoad(
  tx: Tx,
  requests: readonly SettlementRequest[],
  isContended: IsContended,
): Promise<LockedBatch> {
  const first = await lockOrdersAndWallets(tx, requests, isContended)
  for (const request of requests) {
    if (request.kind !== 'pay') continue
    const lines = first.linesByOrder.get(request.orderId) ?? []
    recordProducts(
      request,
      lines.map(({ productId }) => productId),
    )
  }
  const isFitting = chooseBatch(requests)
  const fitting = requests.filter((_, index) => isFitting[index])
  const second = await lockStock(tx, fitting, first, isContended)
  const third = await lockProducts(tx, fitting, second)
  return {
    state: toState(first, second),
    fitting,
    isFitting,
    neededRows: fitting.map((request) => rowsNeededBy(request, first)),
    ...classifyContendedRows({ ...first.tried, ...second.tried, ...third.tried }),
  }
}

type OrdersAndWallets = Awaited<ReturnType<typeof lockOrdersAndWallets>>
type Stock = Awaited<ReturnType<typeof lockStock>>

async function lockOrdersAndWallets(tx: Tx, requests: readonly SettlementRequest[], isContended: IsContended) {
  const pays = requests.filter((request) => request.kind === 'pay')
  const checkouts = requests.filter((request) => request.kind === 'checkout')
  const payIds = pays.map(({ orderId }) => orderId)
  const orderIds = splitByContention('order', payIds, isContended)
  const userIds = splitByContention(
    'user',
    requests.map(({ userId }) => userId),
    isContended,
  )
  const {
    lockedOrders = [],
    triedOrders = [],
    orderStatuses = [],
    lockedWallets = [],
    triedWallets = [],
    wallets = [],
    activeUsers = [],
    lines = [],
    ordersByKey = [],
  } = await executeBatch(tx, {
    lockedOrders: ifAny(orderIds.free, (ids) => queries.lockOrders(tx, ids)),
    triedOrders: ifAny(orderIds.contended, (ids) => queries.lockOrders(tx, ids).skipLocked()),
    orderStatuses: ifAny(orderIds.contended, (ids) => queries.selectOrderStatuses(tx, ids)),
    lockedWallets: ifAny(userIds.free, (ids) => queries.lockWallets(tx, ids)),
    triedWallets: ifAny(userIds.contended, (ids) => queries.lockWallets(tx, ids).skipLocked()),
    wallets: ifAny(userIds.contended, (ids) => queries.selectWallets(tx, ids)),
    // `users.remove` locks the wallet first. This read therefore sees every removal that was committed while the batch waited.
    activeUsers: ifAny([...userIds.free, ...userIds.contended], (ids) => queries.selectActiveUsers(tx, ids)),
    lines: ifAny(distinct(payIds), (ids) => queries.selectOrderLines(tx, ids)),
    ordersByKey: ifAny(checkouts, (keys) => queries.selectOrdersByKeys(tx, keys)),
  })
  // An order that another user asks for does not exist for that user: nothing more of it is read or locked.
  const requested = new Set(pays.map(({ orderId, userId }) => ownedKey(orderId, userId)))
  const isRequestedByOwner = ({ id, userId }: { id: number; userId: number }) => requested.has(ownedKey(id, userId))
  const acquiredOrders = [...lockedOrders, ...triedOrders].filter(isRequestedByOwner)
  const acquiredIds = new Set(acquiredOrders.map(({ id }) => id))
  // A checkout may find by its key an order that did not exist when this batch locked orders by id. That order is not locked,
  // so this batch does not pay it.
  const placedMeanwhile = ordersByKey.filter((row) => isRequestedByOwner(row) && !acquiredIds.has(row.id))
  const unlockedOrders = [...orderStatuses, ...placedMeanwhile]
  return {
    acquiredOrders,
    /** The orders that exist, with their owners. */
    existingOrders: new Set([...acquiredOrders, ...unlockedOrders].map(({ id, userId }) => ownedKey(id, userId))),
    ordersByKey,
    /** One row for each order, also when requests name it by its id and by its key. The locked row takes precedence. */
    orderRows: [...new Map([...ordersByKey, ...acquiredOrders].map((row) => [row.id, row])).values()],
    linesByOrder: Map.groupBy(lines, ({ orderId }) => orderId),
    wallets: [...lockedWallets, ...triedWallets],
    activeUsers: new Set(activeUsers.map(({ id }) => id)),
    tried: { acquiredOrders: triedOrders, orders: unlockedOrders, acquiredWallets: triedWallets, wallets },
  }
}

async function lockStock(
  tx: Tx,
  requests: readonly SettlementRequest[],
  { acquiredOrders, orderRows, linesByOrder, tried: { acquiredWallets } }: OrdersAndWallets,
  isContended: IsContended,
) {
  const orderedIds = distinct(requests.flatMap((request) => (request.kind === 'checkout' ? productIdsOf(request) : [])))
  const requested = new Set(requests.flatMap((request) => (request.kind === 'pay' ? [request.orderId] : [])))
  const linesToSell = acquiredOrders.flatMap(({ id, status }) =>
    status === 'pending' && requested.has(id) ? (linesByOrder.get(id) ?? []) : [],
  )
  const idsToSell = [...linesToSell.map(({ productId }) => productId), ...orderedIds]
  const productIds = splitByContention('product', idsToSell, isContended)
  const withoutLines = orderRows.flatMap(({ id }) => (linesByOrder.has(id) ? [] : [id]))
  const paidIds = orderRows.flatMap(({ id, paidAt }) => (paidAt ? [id] : []))
  const {
    lockedStock = [],
    triedStock = [],
    stockRows = [],
    triedUsers = [],
    offers = [],
    lines = [],
    payments = [],
  } = await executeBatch(tx, {
    lockedStock: ifAny(productIds.free, (ids) => queries.lockStock(tx, ids)),
    triedStock: ifAny(productIds.contended, (ids) => queries.lockStock(tx, ids).skipLocked()),
    stockRows: ifAny(productIds.contended, (ids) => queries.selectStock(tx, ids)),
    triedUsers: ifAny(
      acquiredWallets.map(({ userId }) => userId),
      (ids) => queries.lockUsers(tx, ids).skipLocked(),
    ),
    // `products.update` locks the stock first. This read therefore sees price changes that were committed while the batch waited.
    offers: ifAny(orderedIds, (ids) => queries.selectOffers(tx, ids)),
    lines: ifAny(withoutLines, (ids) => queries.selectOrderLines(tx, ids)),
    payments: ifAny(paidIds, (ids) => queries.selectPayments(tx, ids)),
  })
  return {
    stock: [...lockedStock, ...triedStock],
    offers,
    lines,
    payments,
    tried: { acquiredStock: triedStock, stock: stockRows, acquiredUsers: triedUsers },
  }
}

/** Tries to lock the rows of contended products whose stock was acquired, and of their hourly sales. */
async function lockProducts(tx: Tx, requests: readonly SettlementRequest[], { tried: { acquiredStock } }: Stock) {
  const hours = distinct(requests.map(({ now }) => stock.startOfHour(now).getTime())).map((time) => new Date(time))
  const productIds = acquiredStock.map(({ productId }) => productId)
  const {
    acquiredProducts = [],
    acquiredHours = [],
    hours: hourRows = [],
  } = await executeBatch(tx, {
    acquiredProducts: ifAny(productIds, (ids) => queries.lockProducts(tx, ids).skipLocked()),
    acquiredHours: ifAny(productIds, (ids) => queries.lockHours(tx, ids, hours).skipLocked()),
    hours: ifAny(productIds, (ids) => queries.selectHours(tx, ids, hours)),
  })
  return { tried: { acquiredProducts, acquiredHours, hours: hourRows } }
}

function toState(first: OrdersAndWallets, second: Stock): SettlementState {
  const lines = [...[...first.linesByOrder.values()].flat(), ...second.lines]
  return {
    wallets: new Map(
      first.wallets.filter(({ userId }) => first.activeUsers.has(userId)).map((wallet) => [wallet.userId, wallet]),
    ),
    orders: new Map(orders.toOrders(first.orderRows, lines).map((order) => [order.id, order])),
    orderIdsByKey: new Map(first.ordersByKey.map((row) => [checkoutKey(row), row.id])),
    payments: new Map(
      second.payments.map(({ balance, userId: _, ...payment }) => [payment.orderId, { payment, balance }]),
    ),
    offers: new Map(second.offers.map((offer) => [offer.id, offer])),
    stock: new Map(second.stock.map((row) => [row.productId, row.stock])),
    placeholderIds: new PlaceholderOrderIds(),
  }
}

function rowsNeededBy(request: SettlementRequest, { existingOrders, linesByOrder }: OrdersAndWallets): RowKey[] {
  const user: RowKey = `user:${request.userId}`
  if (request.kind === 'checkout') return [user, ...productIdsOf(request).map(productRow)]
  if (!existingOrders.has(ownedKey(request.orderId, request.userId))) return [user]
  const lines = linesByOrder.get(request.orderId) ?? []
  return [user, `order:${request.orderId}`, ...lines.map(({ productId }) => productRow(productId))]
}

const ownedKey = (orderId: number, userId: number) => `${orderId} ${userId}`

const productRow = (productId: number): RowKey => `product:${productId}`

function productIdsOf({ items }: CheckoutRequest): number[] {
  return items.map(({ productId }) => productId)
}

/** The ids, each once and ascending, by whether a row of theirs is contended. */
function splitByContention(kind: 'order' | 'user' | 'product', ids: number[], isContended: IsContended) {
  const { free = [], contended = [] } = Object.groupBy(distinct(ids), (id) =>
    isContended(`${kind}:${id}`) ? 'contended' : 'free',
  )
  return { free, contended }
}

function distinct(values: number[]): number[] {
  return [...new Set(values)].toSorted((a, b) => a - b)
}

/** The statement for these values, or none when there are no values. */
function ifAny<T, S>(values: T[], statement: (values: T[]) => S): S | undefined {
  return values.length > 0 ? statement(values) : undefined
}
