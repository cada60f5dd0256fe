import { executeBatch, type Reader, type Tx } from '@pointwise/db'
import { Refusal } from '../refusals.ts'
import * as queries from './queries.ts'

// For settlements, which read and lock the products of many orders at once.
export { lockHours, lockProducts, lockStock, selectHours, selectOffers, selectStock } from './queries.ts'

/** A line of an order, as far as stock is concerned. */
export interface Line {
  productId: number
  quantity: number
}

/** A line with the price the customer saw. */
export interface PricedLine extends Line {
  price: number
}

/** A line with the product's name of this moment. */
export interface QuotedLine extends PricedLine {
  productName: string
}

export interface SoldLine extends Line {
  /** What is left of the product. */
  stock: number
}

const byProduct = (a: Line, b: Line) => a.productId - b.productId

/** What a product is called and costs at this moment. */
export interface Offer {
  id: number
  name: string
  price: number
}

/** The offers of the lines' products, by product; a product that is removed or was never there has none. */
export async function offersFor(db: Reader, lines: Line[]): Promise<Map<number, Offer>> {
  const offers = await queries.selectOffers(db, productIds(lines)).execute()
  return new Map(offers.map((offer) => [offer.id, offer]))
}

/**
 * Gives each line, by ascending product, the product's name, provided that every price is still what the customer saw.
 *
 * @throws Refusal product_not_found, price_changed
 */
export function quote(offers: ReadonlyMap<number, Offer>, lines: PricedLine[]): QuotedLine[] {
  const found = lines.toSorted(byProduct).map((line) => {
    const offer = offers.get(line.productId)
    if (!offer) throw new Refusal('product_not_found', { productId: line.productId })
    return { line, offer }
  })
  return found.map(({ line, offer }) => {
    if (offer.price !== line.price) {
      throw new Refusal('price_changed', { productId: offer.id, expected: line.price, actual: offer.price })
    }
    return { ...line, productName: offer.name }
  })
}

/**
 * Looks whether there is enough of everything right now. It reserves nothing.
 *
 * @throws Refusal stock_insufficient
 */
export async function requireStock(db: Reader, lines: Line[]): Promise<void> {
  const stock = await queries.selectStock(db, productIds(lines)).execute()
  deductStock(new Map(stock.map((row) => [row.productId, row.stock])), lines)
}

/**
 * What is left of each product, by ascending product, once the lines are sold.
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

/** A line and when it was sold. */
export interface Movement extends Line {
  soldAt: Date
}

/** The statements by which locked stock goes out: stock down, sales volume and the sales of the hour up. */
export function sellStatements(tx: Tx, movements: Movement[]) {
  return stockMovements(tx, movements, 1)
}

/** Takes the lines back: what the sale did is undone, in the hour in which it was done. */
export async function returnStock(tx: Tx, lines: Line[], soldAt: Date): Promise<SoldLine[]> {
  const stock = await queries.lockStock(tx, productIds(lines)).execute()
  const stockOf = new Map(stock.map((row) => [row.productId, row.stock]))
  const returned = lines
    .toSorted(byProduct)
    .map(({ productId, quantity }) => ({ productId, quantity, stock: (stockOf.get(productId) ?? 0) + quantity }))
  await executeBatch(
    tx,
    ...stockMovements(
      tx,
      lines.map((line) => ({ ...line, soldAt })),
      -1,
    ),
  )
  return returned
}

function stockMovements(tx: Tx, movements: Movement[], sign: 1 | -1) {
  const byId = groupQuantities(movements, ({ productId }) => productId)
  const changes = (factor: number) =>
    byId.map(([{ productId }, quantity]) => ({ productId, change: factor * quantity }))
  const hours = groupQuantities(movements, ({ productId, soldAt }) => `${productId} ${startOfHour(soldAt).getTime()}`)
  return [
    queries.updateStock(tx, changes(-sign)),
    queries.updateSalesVolume(tx, changes(sign)),
    queries.upsertHourlySales(
      tx,
      hours.map(([{ productId, soldAt }, quantity]) => ({
        productId,
        hour: startOfHour(soldAt),
        change: sign * quantity,
      })),
    ),
  ] as const
}

/** The quantities of the movements that share a key, with one of them, by ascending product. */
function groupQuantities(movements: Movement[], keyOf: (movement: Movement) => unknown): [Movement, number][] {
  return [...Map.groupBy(movements, keyOf).values()]
    .flatMap((group): [Movement, number][] =>
      group[0] ? [[group[0], group.reduce((sum, { quantity }) => sum + quantity, 0)]] : [],
    )
    .toSorted(([a], [b]) => byProduct(a, b))
}

function productIds(lines: Line[]): number[] {
  return lines.map((line) => line.productId).toSorted((a, b) => a - b)
}

/** Sales are rolled up by the hour, in UTC. */
export function startOfHour(time: Date): Date {
  return new Date(Math.floor(time.getTime() / 3_600_000) * 3_600_000)
}
