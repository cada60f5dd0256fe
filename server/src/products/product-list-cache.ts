import { REPLICA_LAG_MS_MAX, type Reader } from '@pointwise/db'
import { StaleWhileRevalidateCache } from '../cache.ts'
import type { RedisConnection } from '../redis/redis-connection.ts'
import { SharedValues } from '../redis/shared-values.ts'
import {
  TOP_SELLING_MAX,
  type TopSelling,
  TRENDING_MAX,
  type Trending,
  topSelling,
  trending,
} from './product-schemas.ts'
import * as queries from './queries.ts'
import { RankingCache } from './ranking-cache.ts'
import { startOfHour } from './stock.ts'

const TRENDING_HOURS = 72
/** The cache has the first id of every block of this many products. A page is found by walking the index from there. */
const BLOCK_SIZE = 1_000
const BLOCKS_MAX = 10_000
const STORES_MAX = 10_000
/**
 * With a shorter lifetime, rankings are read from the primary: a replica may be further behind than the ranking that is cached, and the
 * new ranking would then be older than the one that it replaces.
 */
const REPLICA_TTL_SECONDS_MIN = (2 * REPLICA_LAG_MS_MAX) / 1_000
/** The channels of changes. The message of a product is its id. */
const LISTING = 'listing'
const PRODUCT = 'product'

export interface ProductListCacheOptions {
  /** The lifetime of a value. An expired value is returned while it is read again, up to twice this age. 0 caches nothing. */
  ttlSeconds: number
  now: () => Date
  /** Where the rankings and the numbers of products are shared with other servers, and changes are published. */
  redis?: RedisConnection | undefined
  /**
   * Reads the rankings from a replica. Everything that is dropped after a change is read from the primary, because the replica may
   * still contain what was dropped: the counts, the blocks, and the names and prices of the rankings.
   */
  readReplica?: ReadReplica | undefined
}

type ReadReplica = <T>(work: (db: Reader) => Promise<T>) => Promise<T>

/** Where a page of the listing begins: `offset` products after the product `from`, or after the newest one. */
export interface PageStart {
  from: number | undefined
  offset: number
}

interface Count {
  totalItems: number
}

interface Block {
  storeId: number | undefined
  /** 0 is the block of the newest products. */
  number: number
}

/**
 * Caches the rankings, the number of listed products, and where the blocks of the listing begin. docs/caching.md states how old
 * each value may be. Code that adds, changes or removes a product calls the method of that name.
 */
export class ProductListCache {
  readonly #db: Reader
  readonly #readRanking: ReadReplica
  readonly #now: () => Date
  readonly #redis: RedisConnection | undefined
  readonly #topSelling: RankingCache<{ items: TopSelling }>
  readonly #trending: RankingCache<Trending>
  readonly #counts: StaleWhileRevalidateCache<string, Count>
  readonly #sharedCounts: SharedValues<Count> | undefined
  readonly #blocks: StaleWhileRevalidateCache<string, { firstId: number | undefined }>

  constructor(db: Reader, { ttlSeconds, now, redis: given, readReplica }: ProductListCacheOptions) {
    // Without a cache there is nothing to share.
    const redis = ttlSeconds === 0 ? undefined : given
    this.#db = db
    const usesReplica = readReplica !== undefined && ttlSeconds >= REPLICA_TTL_SECONDS_MIN
    this.#readRanking = usesReplica ? readReplica : (work) => work(db)
    this.#now = now
    this.#redis = redis
    const ranking = {
      redis,
      ttlSeconds,
      isBehind: usesReplica,
      readOffers: (productIds: number[]) => queries.selectOffers(db, productIds).execute(),
    }
    this.#topSelling = new RankingCache({
      ...ranking,
      name: 'top-selling',
      read: async () => ({ items: await this.#readTopSelling() }),
      check: (value) => toTopSelling(value),
    })
    this.#trending = new RankingCache({
      ...ranking,
      name: 'trending',
      read: () => this.#readTrending(),
      check: (value) => trending.safeParse(value).data,
    })
    this.#sharedCounts = redis && new SharedValues(redis, { name: LISTING, ttlSeconds, check: toCount })
    const readCount = (key: string) => queries.countListed(db, storeOf(key)).executeTakeFirstOrThrow()
    this.#counts = new StaleWhileRevalidateCache(
      { ttlSeconds, max: STORES_MAX },
      (key) => this.#sharedCounts?.get(key, () => readCount(key)) ?? readCount(key),
    )
    this.#blocks = new StaleWhileRevalidateCache({ ttlSeconds, max: BLOCKS_MAX }, (key) =>
      this.#readBlock(blockOf(key)),
    )
    if (redis) this.#follow(redis)
  }

  /** The best sellers of all time that are not removed. Products with equal sales are sorted by ascending id. */
  async topSelling(): Promise<TopSelling> {
    return (await this.#topSelling.get()).items
  }

  /** The best sellers of the last three days. Sales of later hours, by a clock that ran ahead, are excluded. */
  trending(): Promise<Trending> {
    return this.#trending.get()
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

  /** Drops the counts and the blocks of all servers that Redis reaches. */
  async productAdded(): Promise<void> {
    await Promise.all([this.#sharedCounts?.invalidate(), this.#redis?.publish(LISTING)])
    this.#invalidateListingHere()
  }

  /** Makes the rankings of all servers that Redis reaches show the current name and price of a product. */
  async productChanged(productId: number): Promise<void> {
    this.#productChangedHere(productId)
    await this.#redis?.publish(PRODUCT, String(productId))
  }

  /** Omits a product from the rankings, and drops the counts and the blocks, of all servers that Redis reaches. */
  async productRemoved(productId: number): Promise<void> {
    await Promise.all([this.productChanged(productId), this.productAdded()])
  }

  /** Receives the changes of other servers. */
  #follow(redis: RedisConnection): void {
    redis.subscribe(LISTING, () => this.#invalidateListingHere())
    redis.subscribe(PRODUCT, (productId) => this.#productChangedHere(Number(productId)))
    redis.onAvailable(() => {
      this.#productChangedHere()
      this.#invalidateListingHere()
      if (this.#sharedCounts?.isInvalidationPending) void this.productAdded()
    })
  }

  #invalidateListingHere(): void {
    this.#counts.invalidate()
    this.#blocks.invalidate()
  }

  #productChangedHere(productId?: number): void {
    this.#topSelling.changed(productId)
    this.#trending.changed(productId)
  }

  async #readTopSelling(): Promise<TopSelling> {
    const products = await this.#readRanking((db) => queries.selectTopSelling(db, TOP_SELLING_MAX).execute())
    return products.map((product, index) => ({ rank: index + 1, salesVolume: product.salesVolume, product }))
  }

  async #readTrending(): Promise<Trending> {
    const asOf = this.#now()
    const through = startOfHour(asOf)
    const from = new Date(through.getTime() - TRENDING_HOURS * 3_600_000)
    const rows = await this.#readRanking((db) =>
      queries.selectTrending(db, { from, through, limit: TRENDING_MAX }).execute(),
    )
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

function toTopSelling(value: unknown): { items: TopSelling } | undefined {
  const { data } = topSelling.safeParse((value as { items: unknown }).items)
  return data && { items: data }
}

/** What another server has stored. A server of another version may have stored something else. */
function toCount(value: unknown): Count | undefined {
  const { totalItems } = value as Partial<Count>
  return Number.isInteger(totalItems) ? (value as Count) : undefined
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
