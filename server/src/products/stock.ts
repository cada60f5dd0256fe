import { executeBatch, type Reader, type Tx } from '@pointwise/db'
import { Refusal } from '../refusals.ts'
import * as queries from './queries.ts'

/** A line of an order, as far as stock is concerned. */
export interface Line {
  productId: number
  quantity: number
}

/** A line after its sale or return. */
export interface SoldLine extends Line {
  /** The stock of the product after it. */
  stock: number
}

/** A line and the time of its sale. */
export interface Movement extends Line {
  soldAt: Date
}

export const byProduct = (a: Line, b: Line) => a.productId - b.productId

export function productIdsOf(lines: Line[]): number[] {
  return lines.map((line) => line.productId).toSorted((a, b) => a - b)
}

/**
 * Checks that there is enough stock for every line at the moment. It reserves nothing.
 *
 * @throws Refusal stock_insufficient
 */
export async function requireStock(db: Reader, lines: Line[]): Promise<void> {
  const rows = await queries.selectStock(db, productIdsOf(lines)).execute()
  deductStock(new Map(rows.map((row) => [row.productId, row.stock])), lines)
}

/**
 * The stock of each product after the sale of the lines, by ascending product id. `stock` itself is not changed.
 *
 * @throws Refusal stock_insufficient
 */
export function deductStock(stock: ReadonlyMap<number, number>, lines: Line[]): SoldLine[] {
  return lines.toSorted(byProduct).map(({ productId, quantity }) => {
    const available = stock.get(productId) ?? 0
    if (available < quantity) throw new Refusal('stock_insufficient', { productId, requested: quantity, available })
    return { productId, quantity, stock: available - quantity }
  })
}

/** The statements of a sale from locked stock: stock goes down, sales volume and the sales of the hour go up. */
export function saleStatements(tx: Tx, movements: Movement[]) {
  return stockMovements(tx, movements, 1)
}

/** Returns sold lines to the stock. It reverses what the sale changed, in the hour of the sale. */
export async function returnStock(tx: Tx, lines: Line[], soldAt: Date): Promise<SoldLine[]> {
  const rows = await queries.lockStock(tx, productIdsOf(lines)).execute()
  const stockByProduct = new Map(rows.map((row) => [row.productId, row.stock]))
  const movements = lines.map((line) => ({ ...line, soldAt }))
  await executeBatch(tx, stockMovements(tx, movements, -1))
  return lines.toSorted(byProduct).map(({ productId, quantity }) => {
    const stock = stockByProduct.get(productId)
    if (stock === undefined) throw new Error(`Product ${productId} was sold, but it has no row in stock.`)
    return { productId, quantity, stock: stock + quantity }
  })
}

function stockMovements(tx: Tx, movements: Movement[], sign: 1 | -1) {
  const byId = groupQuantities(movements, ({ productId }) => productId)
  const changes = (factor: number) =>
    byId.map(([{ productId }, quantity]) => ({ productId, change: factor * quantity }))
  const hours = groupQuantities(movements, ({ productId, soldAt }) => `${productId} ${startOfHour(soldAt).getTime()}`)
  return {
    stock: queries.updateStock(tx, changes(-sign)),
    salesVolume: queries.updateSalesVolume(tx, changes(sign)),
    hourlySales: queries.upsertHourlySales(
      tx,
      hours.map(([{ productId, soldAt }, quantity]) => ({
        productId,
        hour: startOfHour(soldAt),
        change: sign * quantity,
      })),
    ),
  }
}

/** The total quantity of the movements that share a key, with the first of them, by ascending product id. */
function groupQuantities(movements: Movement[], keyOf: (movement: Movement) => unknown): [Movement, number][] {
  return [...Map.groupBy(movements, keyOf).values()]
    .flatMap((group): [Movement, number][] =>
      group[0] ? [[group[0], group.reduce((sum, { quantity }) => sum + quantity, 0)]] : [],
    )
    .toSorted(([a], [b]) => byProduct(a, b))
}

/** The start of an hour in UTC. Sales are added up by these hours. */
export function startOfHour(time: Date): Date {
  return new Date(Math.floor(time.getTime() / 3_600_000) * 3_600_000)
}
