import type { Reader } from '@pointwise/db'
import { Refusal } from '../refusals.ts'
import * as queries from './queries.ts'
import { byProduct, type Line, productIdsOf } from './stock.ts'

/** A line with the price that the customer saw. */
export interface PricedLine extends Line {
  price: number
}

/** A line with the current name of its product. */
export interface QuotedLine extends PricedLine {
  productName: string
}

/** The current name and price of a product that is not removed. */
export interface Offer {
  id: number
  name: string
  price: number
}

/** The offers of the lines' products, by product id. A product that is removed or does not exist has none. */
export async function offersFor(db: Reader, lines: Line[]): Promise<Map<number, Offer>> {
  const offers = await queries.selectOffers(db, productIdsOf(lines)).execute()
  return new Map(offers.map((offer) => [offer.id, offer]))
}

/**
 * Adds the name of its product to each line and sorts the lines by product id, provided that every price is still the one
 * that the customer saw.
 *
 * @throws Refusal product_not_found, price_changed
 */
export function quote(offers: ReadonlyMap<number, Offer>, lines: PricedLine[]): QuotedLine[] {
  const offered = lines.toSorted(byProduct).map((line) => {
    const offer = offers.get(line.productId)
    if (!offer) throw new Refusal('product_not_found', { productId: line.productId })
    return { line, offer }
  })
  return offered.map(({ line, offer }) => {
    if (offer.price !== line.price) {
      throw new Refusal('price_changed', { productId: offer.id, expected: line.price, actual: offer.price })
    }
    return { ...line, productName: offer.name }
  })
}
