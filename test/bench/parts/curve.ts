import { chart, type Point } from '../chart.ts'
import { measure, startServer } from '../processes.ts'
import { type Figure, median } from '../report.ts'
import { eachOnce, payRequest } from '../requests.ts'
import { type Bench, inTurn } from '../rounds.ts'
import { fillShop, newDatabase, placeOrders } from '../seed.ts'
import { expectSound } from './payments.ts'

const BUYERS = [1, 16, 64, 256, 1_024]
const USERS = 1_024
const ORDERS = 60_000

/** Measures one hot product by the number of its buyers. Writes the chart, and runs the audit at the end. */
export async function curve(bench: Bench): Promise<Figure[]> {
  const shop = await newDatabase(bench.server, 'curve')
  await fillShop(shop, { users: USERS, products: 1 })
  const server = await startServer('server.ts', shop.url)
  const pay = async (buyers: number): Promise<Point> => {
    const orders = await placeOrders(shop, { count: ORDERS, users: USERS, products: 1 })
    return { buyers, ...(await measure(eachOnce(server, await Promise.all(orders.map(payRequest)), buyers))) }
  }
  const results = await inTurn(
    bench,
    'curve',
    Object.fromEntries(BUYERS.map((buyers) => [`${buyers} buyers`, () => pay(buyers)])),
    ({ perSecond, p99Ms }) => `${Math.round(perSecond)}/s, p99 ${p99Ms.toFixed(1)} ms`,
  )
  await server.stop()
  await expectSound(shop)
  await shop.end()
  const of = (buyers: number) => results[`${buyers} buyers`] ?? []
  const medianOf = (buyers: number, pick: (point: Point) => number) => median(of(buyers).map(pick))
  const points = BUYERS.map((buyers) => ({
    buyers,
    perSecond: medianOf(buyers, ({ perSecond }) => perSecond),
    p50Ms: medianOf(buyers, ({ p50Ms }) => p50Ms),
    p99Ms: medianOf(buyers, ({ p99Ms }) => p99Ms),
  }))
  await bench.writeChart(chart(points, `${bench.description}; oversold: 0, audited`))
  const values = (buyers: number) => of(buyers).map(({ perSecond }) => perSecond)
  return [
    ...points.map(
      ({ buyers, p99Ms }): Figure => ({
        name: `hot product, ${buyersOf(buyers)} (p99 ${p99Ms.toFixed(1)} ms)`,
        unit: '/s',
        values: values(buyers),
      }),
    ),
    {
      name: 'hot product, 1,024 buyers',
      unit: '/s',
      values: values(1_024),
      baseline: { name: '64 buyers', values: values(64) },
      goal: { atLeast: 0.9 },
    },
  ]
}

const buyersOf = (count: number) => (count === 1 ? 'one buyer' : `${count.toLocaleString('en')} buyers`)
