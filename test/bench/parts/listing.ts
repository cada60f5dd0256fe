import { measure, startServer } from '../processes.ts'
import type { Figure } from '../report.ts'
import { repeatedly } from '../requests.ts'
import { type Bench, inTurn } from '../rounds.ts'
import { newDatabase, numbersUpTo, type Seeded } from '../seed.ts'

const PRODUCTS = 1_000_000
const PAGE_SIZE = 20
const DISTANT_PAGE = 25_000
const CONNECTIONS = 64

/** Measures pages of a million products, compared with Fastify and mysql2 sending the same two statements. */
export async function listing(bench: Bench): Promise<Figure[]> {
  const database = await newDatabase(bench.server, 'listing')
  bench.print(`listing: filling ${PRODUCTS.toLocaleString('en')} products`)
  await fillCatalogue(database)
  const pointwise = await startServer('server.ts', database.url)
  const baseline = await startServer('baselines.ts', database.url)
  const input = (value: object) => `?input=${encodeURIComponent(JSON.stringify({ json: value }))}`
  const cursor = Buffer.from(`after:${PRODUCTS - DISTANT_PAGE * PAGE_SIZE}`).toString('base64url')
  const pages = async (server: typeof pointwise, path: string) =>
    (await measure(repeatedly(server, path, CONNECTIONS))).perSecond
  const latency = async (path: string) => (await measure(repeatedly(pointwise, path, 1))).p50Ms
  const list = (page: number) => `/trpc/products.list${input({ page })}`
  const values = await inTurn(bench, 'listing', {
    pages: () => pages(pointwise, list(1)),
    barePages: () => pages(baseline, '/bare/products'),
    barePage: () => pages(baseline, '/bare/page'),
    first: () => latency(list(1)),
    far: () => latency(list(DISTANT_PAGE)),
    scroll: () => latency(`/trpc/products.scroll${input({})}`),
    scrollFar: () => latency(`/trpc/products.scroll${input({ cursor })}`),
  })
  await Promise.all([pointwise.stop(), baseline.stop()])
  await database.end()
  return [
    {
      name: 'products.list, page 1 of 1,000,000 products',
      unit: '/s',
      values: values.pages,
      baseline: { name: 'bare Fastify and mysql2, the same two statements', values: values.barePages },
      goal: { atLeast: 0.7 },
    },
    {
      name: 'products.list, page 1 of 1,000,000 products',
      unit: '/s',
      values: values.pages,
      baseline: { name: 'bare Fastify and mysql2, the page alone', values: values.barePage },
      goal: { atLeast: 0.7 },
    },
    {
      name: 'page 25,000 of 50,000, p50',
      unit: 'ms',
      values: values.far,
      baseline: { name: 'page 1', values: values.first },
      goal: { atMost: 10 },
    },
    {
      name: 'scroll at the same place, p50',
      unit: 'ms',
      values: values.scrollFar,
      baseline: { name: 'scroll from the start', values: values.scroll },
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
