import type { Db } from '@pointwise/db'
import { LRUCache } from 'lru-cache'
import * as queries from './queries.ts'
import { startOfHour } from './sales.ts'
import type { Product } from './service.ts'

const TRENDING_MAX = 5
const TRENDING_HOURS = 72

export interface Trending {
  items: { rank: number; soldCount: number; product: Product }[]
  /** Sales from here on count: the start of `asOf`'s hour, less 72 hours. */
  from: Date
  /** When this was read. */
  asOf: Date
}

export interface Rankings {
  /** The best sellers of the last three days, at most `ttlSeconds` old; however many ask at once, one query is made. */
  trending: () => Promise<Trending>
}

/** With a `ttlSeconds` of 0 nothing is kept. */
export function createRankings(db: Db, { ttlSeconds, now }: { ttlSeconds: number; now: () => Date }): Rankings {
  if (ttlSeconds === 0) return { trending: () => readTrending(db, now()) }
  const cache = new LRUCache<'trending', Trending>({
    max: 1,
    ttl: ttlSeconds * 1_000,
    fetchMethod: () => readTrending(db, now()),
  })
  return { trending: () => cache.forceFetch('trending') }
}

async function readTrending(db: Db, asOf: Date): Promise<Trending> {
  const from = new Date(startOfHour(asOf).getTime() - TRENDING_HOURS * 3_600_000)
  const rows = await queries.selectTrending(db, { from, limit: TRENDING_MAX }).execute()
  const items = rows.map(({ soldCount, ...product }, index) => ({
    rank: index + 1,
    soldCount: Number(soldCount),
    product,
  }))
  return { items, from, asOf }
}
