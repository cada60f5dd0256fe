import { executeBatch, type Tx } from '@pointwise/db'
import * as orders from '../../orders/service.ts'
import * as points from '../../points/service.ts'
import * as sales from '../../products/stock.ts'
import * as queries from '../queries.ts'
import { classifyContendedRows, type RowKey, type ToldSuspects } from './contended-rows.ts'
import { keyOf, type SettlementRequest, type SettlementState } from './decide.ts'

export interface Reading extends ToldSuspects {
  books: SettlementState
  /** The rows that each request needs. */
  needs: RowKey[][]
}

/**
 * Reads and locks what the requests name, in two round trips: orders, then wallets, then stock, each by ascending id.
 * Nobody waits for a suspect: either it is free, or it is reported as blocked.
 */
export async function lockAndLoad(
  tx: Tx,
  requests: readonly SettlementRequest[],
  isSuspect: (row: RowKey) => boolean,
): Promise<Reading> {
  const checkouts = requests.filter((request) => request.kind === 'checkout')
  const pays = requests.filter((request) => request.kind === 'pay')
  const orderIds = split(
    'order',
    pays.map(({ orderId }) => orderId),
    isSuspect,
  )
  const userIds = split(
    'user',
    requests.map(({ userId }) => userId),
    isSuspect,
  )
  const wanted = distinct(checkouts.flatMap(({ items }) => items.map(({ productId }) => productId)))

  const [
    locked = [],
    triedOrders = [],
    statuses = [],
    wallets = [],
    triedWallets = [],
    triedUsers = [],
    balances = [],
    lines = [],
    earlier = [],
  ] = await executeBatch(
    tx,
    some(orderIds.trusted, (ids) => orders.lockOrders(tx, ids)),
    some(orderIds.suspected, (ids) => orders.lockOrders(tx, ids).skipLocked()),
    some(orderIds.suspected, (ids) => orders.selectStatuses(tx, ids)),
    some(userIds.trusted, (ids) => points.lockWallets(tx, ids)),
    some(userIds.suspected, (ids) => points.lockWallets(tx, ids).skipLocked()),
    some(userIds.suspected, (ids) => points.lockUsers(tx, ids).skipLocked()),
    some(userIds.suspected, (ids) => points.selectBalances(tx, ids)),
    some(orderIds.all, (ids) => orders.selectLines(tx, ids)),
    some(checkouts, (keys) => orders.selectOrdersByKeys(tx, keys)),
  )
  // Of somebody else's order nothing more is read or locked: it does not exist for whoever asks.
  const asked = new Set(pays.map(({ orderId, userId }) => ownedKey(orderId, userId)))
  const isAskedByOwner = ({ id, userId }: { id: number; userId: number }) => asked.has(ownedKey(id, userId))
  const orderRowsHad = [...locked, ...triedOrders].filter(isAskedByOwner)
  const had = new Set(orderRowsHad.map(({ id }) => id))
  // One that was placed while we waited is found by its key, yet its id had nothing to lock: it cannot be paid.
  const notHad = [...statuses, ...earlier.filter((row) => isAskedByOwner(row) && !had.has(row.id))]
  const linesOf = Map.groupBy(lines, ({ orderId }) => orderId)
  const sold = orderRowsHad.filter(({ status }) => status === 'pending').flatMap(({ id }) => linesOf.get(id) ?? [])
  const productIds = split('product', [...sold.map(({ productId }) => productId), ...wanted], isSuspect)
  // An order may be named by its id and by its key: it is one row, with lines that are read once, and what is locked counts.
  const rows = [...new Map([...earlier, ...orderRowsHad].map((row) => [row.id, row])).values()]
  const unread = rows.flatMap(({ id }) => (linesOf.has(id) ? [] : [id]))
  const paidIds = rows.flatMap(({ id, paidAt }) => (paidAt ? [id] : []))
  const hours = distinct(requests.map(({ now }) => sales.startOfHour(now).getTime())).map((time) => new Date(time))

  const [
    stock = [],
    triedStock = [],
    triedProducts = [],
    triedHours = [],
    stockNow = [],
    hourRows = [],
    offers = [],
    otherLines = [],
    payments = [],
  ] = await executeBatch(
    tx,
    some(productIds.trusted, (ids) => sales.lockStock(tx, ids)),
    some(productIds.suspected, (ids) => sales.lockStock(tx, ids).skipLocked()),
    some(productIds.suspected, (ids) => sales.lockProducts(tx, ids).skipLocked()),
    some(productIds.suspected, (ids) => sales.lockHours(tx, ids, hours).skipLocked()),
    some(productIds.suspected, (ids) => sales.selectStock(tx, ids)),
    some(productIds.suspected, (ids) => sales.selectHours(tx, ids, hours)),
    // Under the lock of its stock, without which no product is changed: a price that changed while we waited is seen.
    some(wanted, (ids) => sales.selectOffers(tx, ids)),
    some(unread, (ids) => orders.selectLines(tx, ids)),
    some(paidIds, (ids) => queries.selectPaid(tx, ids)),
  )

  const composed = orders.toOrders(rows, [...lines, ...otherLines])
  let inserted = 0
  const books: SettlementState = {
    wallets: new Map(
      [...wallets, ...triedWallets].flatMap((wallet) => (wallet.active ? [[wallet.userId, wallet]] : [])),
    ),
    orders: new Map(composed.map((order, index) => [order.id, { ...order, userId: rows[index]?.userId ?? 0 }])),
    orderIds: new Map(earlier.map((row) => [keyOf(row), row.id])),
    payments: new Map(payments.map(({ balance, ...payment }) => [payment.orderId, { payment, balance }])),
    offers: new Map(offers.map((offer) => [offer.id, offer])),
    stock: new Map([...stock, ...triedStock].map((row) => [row.productId, row.stock])),
    newOrderId: () => --inserted,
  }
  const owned = new Set([...orderRowsHad, ...notHad].map(({ id, userId }) => ownedKey(id, userId)))
  const needsOf = (request: SettlementRequest): RowKey[] => {
    if (request.kind === 'checkout') return productsOf(request.items)
    const { orderId, userId } = request
    return owned.has(ownedKey(orderId, userId)) ? [`order:${orderId}`, ...productsOf(linesOf.get(orderId) ?? [])] : []
  }
  const needs = requests.map((request): RowKey[] => [`user:${request.userId}`, ...needsOf(request)])
  const suspects = classifyContendedRows({
    orders: triedOrders,
    statuses: notHad,
    wallets: triedWallets,
    users: triedUsers,
    balances,
    stock: triedStock,
    products: triedProducts,
    hours: triedHours,
    stockNow,
    hourRows,
  })
  return { books, needs, ...suspects }
}

const ownedKey = (orderId: number, userId: number) => `${orderId} ${userId}`

const productsOf = (lines: { productId: number }[]) => lines.map(({ productId }): RowKey => `product:${productId}`)

const distinct = (ids: number[]) => [...new Set(ids)].toSorted((a, b) => a - b)

function split(kind: 'order' | 'user' | 'product', ids: number[], isSuspect: (row: RowKey) => boolean) {
  const all = distinct(ids)
  const suspected = all.filter((id) => isSuspect(`${kind}:${id}`))
  return { all, suspected, trusted: suspected.length === 0 ? all : all.filter((id) => !isSuspect(`${kind}:${id}`)) }
}

/** A statement for what there is; none for nothing. */
const some = <T, S>(values: T[], statement: (values: T[]) => S) => (values.length > 0 ? statement(values) : undefined)
