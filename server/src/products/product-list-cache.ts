import type { Reader } from '@pointwise/db'
import { StaleWhileRevalidateCache } from '../cache.ts'
import * as queries from './queries.ts'
import type { Product } from './service.ts'
import { startOfHour } from './stock.ts'

/** How many products a ranking of all time names. */
export const TOP_SELLING_MAX = 10
/** How many products a ranking of the last days names. */
export const TRENDING_MAX = 5
const TRENDING_HOURS = 72
/** A page beyond the first of a block is found by walking the index from the block's anchor. */
const BLOCK = 1_000
const ANCHORS_MAX = 10_000
const STORES_MAX = 10_000

export interface TopSelling {
  rank: number
  salesVolume: number
  product: Product
}

export interface Trending {
  items: { rank: number; soldCount: number; product: Product }[]
  /** Sales from here on count: the start of `asOf`'s hour, less 72 hours. */
  from: Date
  /** When this was read. */
  asOf: Date
}

export interface ProductListCacheOptions {
  /** After how long what it remembers is read anew; until that is done it is given out, up to twice as old. 0: nothing is. */
  ttlSeconds: number
  now: () => Date
}

/**
 * What is remembered of the products, for as long as docs/caching.md says: the rankings, how many products are listed, and
 * where the blocks of the listing begin. Whoever adds or removes products lets it forget.
 */
export class ProductListCache {
  readonly #db: Reader
  readonly #now: () => Date
  readonly #rankings: StaleWhileRevalidateCache<'topSelling', TopSelling[]>
  readonly #trending: StaleWhileRevalidateCache<'trending', Trending>
  readonly #counts: StaleWhileRevalidateCache<number, { totalItems: number }>
  readonly #anchors: StaleWhileRevalidateCache<string, { id: number | undefined }>

  constructor(db: Reader, { ttlSeconds, now }: ProductListCacheOptions) {
    this.#db = db
    this.#now = now
    this.#rankings = new StaleWhileRevalidateCache({ ttlSeconds, max: 1 }, () => this.#readTopSelling())
    this.#trending = new StaleWhileRevalidateCache({ ttlSeconds, max: 1 }, () => this.#readTrending())
    this.#counts = new StaleWhileRevalidateCache({ ttlSeconds, max: STORES_MAX }, (storeId) =>
      queries.countListed(db, storeId || undefined).executeTakeFirstOrThrow(),
    )
    this.#anchors = new StaleWhileRevalidateCache({ ttlSeconds, max: ANCHORS_MAX }, (key) => this.#readAnchor(key))
  }

  /** The best sellers of all time that are not removed; of equal sales the lower id first. */
  topSelling(): Promise<TopSelling[]> {
    return this.#rankings.get('topSelling')
  }

  /** The best sellers of the last three days. */
  trending(): Promise<Trending> {
    return this.#trending.get('trending')
  }

  /** How many products are listed, in all or of a store. */
  async count(storeId: number | undefined): Promise<number> {
    return (await this.#counts.get(storeId ?? 0)).totalItems
  }

  /** From where the product at `offset` is found: an id that is listed, and how many rows lie between. */
  async anchorOf(storeId: number | undefined, offset: number): Promise<{ from: number | undefined; offset: number }> {
    const block = Math.floor(offset / BLOCK)
    if (block === 0) return { from: undefined, offset }
    const { id } = await this.#anchors.get(`${storeId ?? 0}:${block}`)
    return { from: id ?? 0, offset: offset - block * BLOCK }
  }

  /** After products were added or removed. */
  invalidateListing(): void {
    this.#counts.invalidate()
    this.#anchors.invalidate()
  }

  async #readTopSelling(): Promise<TopSelling[]> {
    const products = await queries.selectTopSelling(this.#db, TOP_SELLING_MAX).execute()
    return products.map((product, index) => ({ rank: index + 1, salesVolume: product.salesVolume, product }))
  }

  async #readTrending(): Promise<Trending> {
    const asOf = this.#now()
    const from = new Date(startOfHour(asOf).getTime() - TRENDING_HOURS * 3_600_000)
    const rows = await queries.selectTrending(this.#db, { from, limit: TRENDING_MAX }).execute()
    const items = rows.map(({ soldCount, ...product }, index) => ({
      rank: index + 1,
      soldCount: Number(soldCount),
      product,
    }))
    return { items, from, asOf }
  }

  /** Walks on from the nearest anchor that is known, or from the newest product. */
  async #readAnchor(key: string): Promise<{ id: number | undefined }> {
    const [store = 0, block = 0] = key.split(':').map(Number)
    let known = block - 1
    while (known > 0 && !this.#anchors.has(`${store}:${known}`)) known--
    const from = known > 0 ? (await this.#anchors.get(`${store}:${known}`)).id : undefined
    const offset = (block - known) * BLOCK
    return (
      (await queries.selectIdAt(this.#db, { storeId: store || undefined, from, offset }).executeTakeFirst()) ?? {
        id: undefined,
      }
    )
  }
}
