import { type Listening, measure, startServer } from '../processes.ts'
import type { Figure } from '../report.ts'
import { repeatedly } from '../requests.ts'
import { type Bench, inTurn } from '../rounds.ts'
import { fillShop, newDatabase, numbersUpTo, type Seeded } from '../seed.ts'

const PRODUCTS = 10_000
const HOURS = 72
const FEW = 50_000
const MANY = 5_000_000

/** Measures the rankings without a cache, when a hundred times as many order lines were paid in the same time. */
export async function rankings(bench: Bench): Promise<Figure[]> {
  const few = await openWith(bench, FEW)
  const many = await openWith(bench, MANY)
  const latency =
    ({ server }: Opened, name: string) =>
    async () =>
      (await measure(repeatedly(server, `/trpc/products.${name}`, 1))).p50Ms
  const values = await inTurn(bench, 'rankings', {
    topSellingOfFew: latency(few, 'topSelling'),
    topSellingOfMany: latency(many, 'topSelling'),
    trendingOfFew: latency(few, 'trending'),
    trendingOfMany: latency(many, 'trending'),
  })
  for (const { database, server } of [few, many]) {
    await server.stop()
    await database.end()
  }
  const figure = (name: string, many: number[], few: number[]): Figure => ({
    name: `${name}, uncached, of 5,000,000 paid lines, p50`,
    unit: 'ms',
    values: many,
    baseline: { name: 'of 50,000', values: few },
    goal: { atMost: 1.5 },
  })
  return [
    figure('topSelling', values.topSellingOfMany, values.topSellingOfFew),
    figure('trending', values.trendingOfMany, values.trendingOfFew),
  ]
}

interface Opened {
  database: Seeded
  server: Listening
}

/** A shop that sold a number of order lines. The rankings read only the rollup and the products, so only those are filled. */
async function openWith(bench: Bench, lines: number): Promise<Opened> {
  bench.print(`rankings: filling ${lines.toLocaleString('en')} paid lines`)
  const database = await newDatabase(bench.server, `rankings_${lines}`)
  await fillShop(database, { users: 10, products: PRODUCTS })
  await numbersUpTo(database, lines)
  await database.connection.query(
    `insert into product_sales (product_id, hour, count)
    select 1 + mod(n * 7919, ?), date_format(now() - interval (floor(n * 31 / 7) mod ?) hour, '%Y-%m-%d %H:00:00'), 1
    from numbers where n < ? on duplicate key update count = count + 1`,
    [PRODUCTS, HOURS, lines],
  )
  await database.connection.query(
    `update products join (select product_id, sum(count) as sold from product_sales group by product_id) s on s.product_id = products.id
    set sales_volume = sold`,
  )
  await database.connection.query('analyze table products, product_sales')
  return { database, server: await startServer('server.ts', database.url, '0') }
}
