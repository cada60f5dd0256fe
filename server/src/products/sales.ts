import type { Db, Tx } from '@pointwise/db'
import { Refusal } from '../refusals.ts'
import * as queries from './queries.ts'

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

/**
 * Gives each line, by ascending product, the product's name, provided that every price is still what the customer saw.
 *
 * @throws Refusal product_not_found, price_changed
 */
export async function quote(db: Db, lines: PricedLine[]): Promise<QuotedLine[]> {
  const sorted = lines.toSorted(byProduct)
  const offers = await queries.selectOffers(db, productIds(sorted)).execute()
  const offerOf = new Map(offers.map((offer) => [offer.id, offer]))
  const found = sorted.map((line) => {
    const offer = offerOf.get(line.productId)
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
export async function requireStock(db: Db, lines: Line[]): Promise<void> {
  remaining(lines, await queries.selectStock(db, productIds(lines)).execute())
}

/**
 * Sells the lines: stock down, sales volume and the hour's sales up. The stock stays locked until the transaction ends.
 *
 * @throws Refusal stock_insufficient
 */
export async function sell(tx: Tx, lines: Line[], soldAt: Date): Promise<SoldLine[]> {
  const sold = remaining(lines, await queries.lockStock(tx, productIds(lines)).execute())
  await move(tx, sold, soldAt, -1)
  return sold
}

/** Takes the lines back: what `sell` did is undone, in the hour in which it was done. */
export async function takeBack(tx: Tx, lines: Line[], soldAt: Date): Promise<SoldLine[]> {
  const stock = await queries.lockStock(tx, productIds(lines)).execute()
  const stockOf = new Map(stock.map((row) => [row.productId, row.stock]))
  const returned = lines
    .toSorted(byProduct)
    .map(({ productId, quantity }) => ({ productId, quantity, stock: (stockOf.get(productId) ?? 0) + quantity }))
  await move(tx, returned, soldAt, 1)
  return returned
}

async function move(tx: Tx, lines: Line[], soldAt: Date, sign: 1 | -1): Promise<void> {
  const changes = (factor: number) => lines.map(({ productId, quantity }) => ({ productId, change: factor * quantity }))
  await queries.updateStock(tx, changes(sign)).execute()
  await queries.updateSalesVolume(tx, changes(-sign)).execute()
  await queries.addToHour(tx, startOfHour(soldAt), changes(-sign)).execute()
}

function remaining(lines: Line[], stock: { productId: number; stock: number }[]): SoldLine[] {
  const stockOf = new Map(stock.map((row) => [row.productId, row.stock]))
  return lines.toSorted(byProduct).map(({ productId, quantity }) => {
    const available = stockOf.get(productId) ?? 0
    if (available < quantity) throw new Refusal('stock_insufficient', { productId, requested: quantity, available })
    return { productId, quantity, stock: available - quantity }
  })
}

function productIds(lines: Line[]): number[] {
  return lines.map((line) => line.productId).toSorted((a, b) => a - b)
}

/** Sales are rolled up by the hour, in UTC. */
export function startOfHour(time: Date): Date {
  return new Date(Math.floor(time.getTime() / 3_600_000) * 3_600_000)
}
