import type { Reader } from '@pointwise/db'
import type { StoredEvent } from '../../outbox/events.ts'
import * as queries from '../queries/described-row-queries.ts'

type RowOf<Query extends (...given: never[]) => { execute(): Promise<unknown[]> }> = Awaited<
  ReturnType<ReturnType<Query>['execute']>
>[number]

export type HistoryRow = RowOf<typeof queries.selectHistories>
export type OrderRow = RowOf<typeof queries.selectOrders>
export type LineRow = RowOf<typeof queries.selectLines>
export type ProductRow = RowOf<typeof queries.selectProducts>

/** The lines of orders, by order id and then by ascending product id. */
export type LinesByOrder = ReadonlyMap<number, LineRow[]>

/** The rows that the events of a chunk describe, by the ids that the events name. */
export interface DescribedRows {
  charges: ReadonlyMap<number, HistoryRow>
  orders: ReadonlyMap<number, OrderRow>
  historiesByOrder: ReadonlyMap<number | null, HistoryRow[]>
  products: ReadonlyMap<number, ProductRow>
  lines: LinesByOrder
}

export async function loadLines(db: Reader, events: readonly StoredEvent[]): Promise<LinesByOrder> {
  const lines = await ifAny(orderIdsOf(events), (ids) => queries.selectLines(db, ids).execute())
  return Map.groupBy(lines, ({ orderId }) => orderId)
}

export async function loadDescribedRows(
  db: Reader,
  events: readonly StoredEvent[],
  lines: LinesByOrder,
): Promise<DescribedRows> {
  const orderIds = orderIdsOf(events)
  const chargeIds = events.flatMap(({ type, payload }) => (type === 'points.charged' ? [payload.historyId] : []))
  const productIds = events.flatMap(({ payload }) => ('productId' in payload ? [payload.productId] : []))
  const charges = await ifAny(chargeIds, (ids) => queries.selectHistories(db, ids).execute())
  const orders = await ifAny(orderIds, (ids) => queries.selectOrders(db, ids).execute())
  const histories = await ifAny(orderIds, (ids) => queries.selectHistoriesOfOrders(db, ids).execute())
  const products = await ifAny([...new Set(productIds)], (ids) => queries.selectProducts(db, ids).execute())
  return {
    charges: new Map(charges.map((row) => [row.id, row])),
    orders: new Map(orders.map((row) => [row.id, row])),
    historiesByOrder: Map.groupBy(histories, ({ orderId }) => orderId),
    products: new Map(products.map((row) => [row.id, row])),
    lines,
  }
}

function orderIdsOf(events: readonly StoredEvent[]): number[] {
  return [...new Set(events.flatMap(({ payload }) => ('orderId' in payload ? [payload.orderId] : [])))]
}

async function ifAny<Row>(ids: number[], select: (ids: number[]) => Promise<Row[]>): Promise<Row[]> {
  return ids.length > 0 ? select(ids) : []
}
