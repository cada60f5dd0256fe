import type { Bench } from '../bench.ts'
import { chart, type Point } from '../chart.ts'
import { measure, startServer } from '../processes.ts'
import { type Figure, median } from '../report.ts'
import { deal, payRequest } from '../requests.ts'
import { fillShop, newDatabase, placeOrders } from '../seed.ts'
import { expectSound, perSecond } from './payments.ts'

const BUYERS = [1, 16, 64, 256, 1_024]
const USERS = 1_024
const ORDERS = 60_000
const DURATION_MS = 2_500

/** One hot product, by the number of its buyers. Writes the chart, and audits the books at the end. */
export async function curve({ server, description, rounds, say, writeChart }: Bench): Promise<Figure[]> {
  const shop = await newDatabase(server, 'curve')
  await fillShop(shop, { users: USERS, products: 1 })
  const ours = await startServer('server.ts', shop.url)
  const taken = new Map(BUYERS.map((buyers): [number, Point[]] => [buyers, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const buyers of BUYERS) {
      const orders = await placeOrders(shop, { count: ORDERS, users: USERS, products: 1 })
      const requests = await Promise.all(orders.map(payRequest))
      const connections = deal(requests, buyers)
      const measured = await measure({ port: ours.port, connections, repeat: false, durationMs: DURATION_MS })
      const point = { buyers, perSecond: perSecond(measured), p50Ms: measured.p50Ms, p99Ms: measured.p99Ms }
      say(
        `curve, round ${round} of ${rounds}: ${buyers} buyers, ${Math.round(point.perSecond)}/s, p99 ${point.p99Ms.toFixed(1)} ms`,
      )
      if (round > 0) taken.get(buyers)?.push(point)
    }
  }
  await ours.stop()
  await expectSound(shop)
  await shop.end()
  const medianOf = (buyers: number, pick: (point: Point) => number) => median((taken.get(buyers) ?? []).map(pick))
  const points = BUYERS.map((buyers) => ({
    buyers,
    perSecond: medianOf(buyers, ({ perSecond }) => perSecond),
    p50Ms: medianOf(buyers, ({ p50Ms }) => p50Ms),
    p99Ms: medianOf(buyers, ({ p99Ms }) => p99Ms),
  }))
  await writeChart(chart(points, `${description}; oversold: 0, audited`))
  const values = (buyers: number) => (taken.get(buyers) ?? []).map(({ perSecond }) => perSecond)
  return [
    ...points.map(
      ({ buyers, p99Ms }): Figure => ({
        name: `hot product, ${buyers} buyers (p99 ${p99Ms.toFixed(1)} ms)`,
        unit: '/s',
        values: values(buyers),
      }),
    ),
    {
      name: 'hot product, 1,024 buyers',
      unit: '/s',
      values: values(1_024),
      yardstick: { name: '64 buyers', values: values(64) },
      goal: { atLeast: 0.9 },
    },
  ]
}
