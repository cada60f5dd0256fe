import type { Bench } from '../bench.ts'
import { measure, startServer } from '../processes.ts'
import type { Figure } from '../report.ts'
import { deal, get } from '../requests.ts'
import { newDatabase, numbersUpTo, type Seeded } from '../seed.ts'
import { perSecond } from './payments.ts'

const PRODUCTS = 1_000_000
const PAGE_SIZE = 20
const FAR = 25_000
const CONNECTIONS = 64
const DURATION_MS = 2_500

/** Pages of a large catalogue, against Fastify and mysql2 doing the same two statements. */
export async function listing({ server, rounds, say }: Bench): Promise<Figure[]> {
  const database = await newDatabase(server, 'listing')
  say(`listing: filling ${PRODUCTS.toLocaleString('en')} products`)
  await fillCatalogue(database)
  const [ours, theirs] = [
    await startServer('server.ts', database.url),
    await startServer('yardsticks.ts', database.url),
  ]
  const input = (value: object) => `?input=${encodeURIComponent(JSON.stringify({ json: value }))}`
  const cursor = Buffer.from(`after:${PRODUCTS - FAR * PAGE_SIZE}`).toString('base64url')
  const load = (port: number, path: string, connections: number) =>
    measure({
      port,
      connections: deal(
        Array.from({ length: connections }, () => get(path)),
        connections,
      ),
      repeat: true,
      durationMs: DURATION_MS,
    })
  const paths = {
    first: `/trpc/products.list${input({ page: 1 })}`,
    far: `/trpc/products.list${input({ page: FAR })}`,
    scroll: `/trpc/products.scroll${input({})}`,
    scrollFar: `/trpc/products.scroll${input({ cursor })}`,
  }
  const measures = {
    pages: async () => perSecond(await load(ours.port, paths.first, CONNECTIONS)),
    barePages: async () => perSecond(await load(theirs.port, '/bare/products', CONNECTIONS)),
    first: async () => (await load(ours.port, paths.first, 1)).p50Ms,
    far: async () => (await load(ours.port, paths.far, 1)).p50Ms,
    scroll: async () => (await load(ours.port, paths.scroll, 1)).p50Ms,
    scrollFar: async () => (await load(ours.port, paths.scrollFar, 1)).p50Ms,
  }
  const values: Record<string, number[]> = {}
  for (let round = 0; round <= rounds; round++) {
    for (const [name, take] of Object.entries(measures)) {
      const value = await take()
      say(`listing, round ${round} of ${rounds}: ${name} ${value.toFixed(2)}`)
      if (round > 0) values[name] = [...(values[name] ?? []), value]
    }
  }
  await Promise.all([ours.stop(), theirs.stop()])
  await database.end()
  const { pages = [], barePages = [], first = [], far = [], scroll = [], scrollFar = [] } = values
  return [
    {
      name: 'products.list, page 1 of 1,000,000 products',
      unit: '/s',
      values: pages,
      yardstick: { name: 'bare Fastify and mysql2, the same two statements', values: barePages },
      goal: { atLeast: 0.7 },
    },
    {
      name: 'page 25,000 of 50,000, p50',
      unit: 'ms',
      values: far,
      yardstick: { name: 'page 1', values: first },
      goal: { atMost: 10 },
    },
    {
      name: 'scroll at the same place, p50',
      unit: 'ms',
      values: scrollFar,
      yardstick: { name: 'scroll from the start', values: scroll },
      goal: { atMost: 1.2 },
    },
  ]
}

async function fillCatalogue(seeded: Seeded): Promise<void> {
  await numbersUpTo(seeded, PRODUCTS)
  const { connection } = seeded
  await connection.query("insert into stores (name) values ('Kitchen')")
  await connection.query(
    "insert into products (store_id, name, price) select 1, concat('product ', n), 1 from numbers where n < ?",
    [PRODUCTS],
  )
  await connection.query('insert into stock (product_id, stock) select id, 10 from products')
  await connection.query('analyze table products, stock, stores')
}
