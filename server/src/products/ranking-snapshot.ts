import type { Product } from './product-schemas.ts'

export interface RankingEntry {
  rank: number
  product: Product
}

/** The name and the price of a product that is not removed. */
export interface Offer {
  id: number
  name: string
  price: number
}

/**
 * A ranking as it was read, whose names and prices are current. When a product of the ranking was changed or removed, the names
 * and prices are read again, which costs far less than the ranking.
 */
export class RankingSnapshot<Ranking extends { items: RankingEntry[] }> {
  readonly #readOffers: (productIds: number[]) => Promise<Offer[]>
  #ranking: Ranking
  #isCurrent: boolean
  #reading: Promise<void> | undefined

  constructor(
    ranking: Ranking,
    { isCurrent, readOffers }: { isCurrent: boolean; readOffers: (productIds: number[]) => Promise<Offer[]> },
  ) {
    this.#ranking = ranking
    this.#isCurrent = isCurrent || ranking.items.length === 0
    this.#readOffers = readOffers
  }

  /** The ranking, without products that were removed. */
  async current(): Promise<Ranking> {
    while (!this.#isCurrent || this.#reading !== undefined) {
      this.#reading ??= this.#read().finally(() => {
        this.#reading = undefined
      })
      await this.#reading
    }
    return this.#ranking
  }

  /** Call it after a product was changed or removed; without an id, after any products may have been. */
  changed(productId?: number): void {
    const { items } = this.#ranking
    if (items.some(({ product }) => productId === undefined || product.id === productId)) this.#isCurrent = false
  }

  async #read(): Promise<void> {
    const { items } = this.#ranking
    // A change while the offers are read makes them outdated again.
    this.#isCurrent = true
    try {
      const offers = await this.#readOffers(items.map(({ product }) => product.id))
      const offersById = new Map(offers.map((offer) => [offer.id, offer]))
      const listed = items.filter(({ product }) => offersById.has(product.id))
      this.#ranking = {
        ...this.#ranking,
        items: listed.map((entry, index) => ({
          ...entry,
          rank: index + 1,
          product: { ...entry.product, ...offersById.get(entry.product.id) },
        })),
      }
    } catch (error) {
      this.#isCurrent = false
      throw error
    }
  }
}
