import type { Reader } from '@pointwise/db'
import { StaleWhileRevalidateCache } from '../cache.ts'
import { TOP_SELLING_MAX, type TopSelling, TRENDING_MAX, type Trending } from './product-schemas.ts'
import * as queries from './queries.ts'
import { startOfHour } from './stock.ts'

const TRENDING_HOURS = 72
/** The cache has the first id of every block of this many products. A page is found by walking the index from there. */
const BLOCK_SIZE = 1_000
const BLOCKS_MAX = 10_000
const STORES_MAX = 10_000

export interface ProductListCacheOptions {
  /** The lifetime of a value. An expired value is returned while it is read again, up to twice this age. 0 caches nothing. */
  ttlSeconds: number
  now: () => Date
}

/** Where a page of the listing begins: `offset` products after the product `from`, or after the newest one. */
export interface PageStart {
  from: number | undefined
  offset: number
}

interface Block {
  storeId: number | undefined
  /** 0 is the block of the newest products. */
  number: number
}

/**
 * Caches the rankings, the number of listed products, and where the blocks of the listing begin. docs/caching.md states how old
 * each value may be. Code that adds or removes products calls `invalidateListing`.
 */
export class ProductListCache {
  readonly #db: Reader
  readonly #now: () => Date
  readonly #topSelling: StaleWhileRevalidateCache<'topSelling', TopSelling>
  readonly #trending: StaleWhileRevalidateCache<'trending', Trending>
  readonly #counts: StaleWhileRevalidateCache<string, { totalItems: number }>
  readonly #blocks: StaleWhileRevalidateCache<string, { firstId: number | undefined }>

  constructor(db: Reader, { ttlSeconds, now }: ProductListCacheOptions) {
    this.#db = db
    this.#now = now
    this.#topSelling = new StaleWhileRevalidateCache({ ttlSeconds, max: 1 }, () => this.#readTopSelling())
    this.#trending = new StaleWhileRevalidateCache({ ttlSeconds, max: 1 }, () => this.#readTrending())
    this.#counts = new StaleWhileRevalidateCache({ ttlSeconds, max: STORES_MAX }, (key) =>
      queries.countListed(db, storeOf(key)).executeTakeFirstOrThrow(),
    )
    this.#blocks = new StaleWhileRevalidateCache({ ttlSeconds, max: BLOCKS_MAX }, (key) =>
      this.#readBlock(blockOf(key)),
    )
  }

  /** The best sellers of all time that are not removed. Products with equal sales are sorted by ascending id. */
  topSelling(): Promise<TopSelling> {
    return this.#topSelling.get('topSelling')
  }

  /** The best sellers of the last three days. Sales of later hours, by a clock that ran ahead, are excluded. */
  trending(): Promise<Trending> {
    return this.#trending.get('trending')
  }

  /** The number of listed products of a store, or of all stores. */
  async count(storeId: number | undefined): Promise<number> {
    return (await this.#counts.get(storeKey(storeId))).totalItems
  }

  /** Where the product at `offset` of the listing is found. Undefined when the listing ends before it. */
  async pageStart(storeId: number | undefined, offset: number): Promise<PageStart | undefined> {
    const number = Math.floor(offset / BLOCK_SIZE)
    if (number === 0) return { from: undefined, offset }
    const { firstId } = await this.#blocks.get(blockKey({ storeId, number }))
    return firstId === undefined ? undefined : { from: firstId, offset: offset - number * BLOCK_SIZE }
  }

  /** Drops the counts and the blocks, after products were added or removed. */
  invalidateListing(): void {
    this.#counts.invalidate()
    this.#blocks.invalidate()
  }

  async #readTopSelling(): Promise<TopSelling> {
    const products = await queries.selectTopSelling(this.#db, TOP_SELLING_MAX).execute()
    return products.map((product, index) => ({ rank: index + 1, salesVolume: product.salesVolume, product }))
  }

  async #readTrending(): Promise<Trending> {
    const asOf = this.#now()
    const through = startOfHour(asOf)
    const from = new Date(through.getTime() - TRENDING_HOURS * 3_600_000)
    const rows = await queries.selectTrending(this.#db, { from, through, limit: TRENDING_MAX }).execute()
    const items = rows.map(({ soldCount, ...product }, index) => ({
      rank: index + 1,
      soldCount: Number(soldCount),
      product,
    }))
    return { items, from, asOf }
  }

  /** Walks the index from the nearest block that is cached, or from the newest product. */
  async #readBlock({ storeId, number }: Block): Promise<{ firstId: number | undefined }> {
    let cached = number - 1
    while (cached > 0 && !this.#blocks.has(blockKey({ storeId, number: cached }))) cached--
    const start = await this.pageStart(storeId, cached * BLOCK_SIZE)
    if (!start) return { firstId: undefined }
    const offset = (number - cached) * BLOCK_SIZE
    const row = await queries.selectIdAt(this.#db, { storeId, from: start.from, offset }).executeTakeFirst()
    return { firstId: row?.id }
  }
}

const ALL_STORES = 'all'

function storeKey(storeId: number | undefined): string {
  return storeId === undefined ? ALL_STORES : String(storeId)
}

function storeOf(key: string): number | undefined {
  return key === ALL_STORES ? undefined : Number(key)
}

function blockKey({ storeId, number }: Block): string {
  return `${storeKey(storeId)}:${number}`
}

function blockOf(key: string): Block {
  const [store = ALL_STORES, number] = key.split(':')
  return { storeId: storeOf(store), number: Number(number) }
}
