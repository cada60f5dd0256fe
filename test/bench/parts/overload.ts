import { measure, startServer } from '../processes.ts'
import type { Figure } from '../report.ts'
import { checkoutRequest, eachOnce } from '../requests.ts'
import { type Bench, inTurn } from '../rounds.ts'
import { fillShop, newDatabase } from '../seed.ts'
import { expectSound } from './payments.ts'

const USERS = 1_024
const PRODUCTS = 50
const STEPS = [64, 128, 256, 512, 1_024]
/** Nearly as many as the server accepts. */
const CONNECTIONS_MAX = 9_900
/** Above some number, more connections change the throughput only by chance. The best number is the lowest that reaches this share. */
const SHARE_OF_BEST = 0.95
const DURATION_MS = 6_000
/** More than can be placed in a round. */
const ORDERS = 60_000

/** Measures the throughput with ten times as many connections as the server serves best. */
export async function overload(bench: Bench): Promise<Figure[]> {
  const shop = await newDatabase(bench.server, 'overload')
  await fillShop(shop, { users: USERS, products: PRODUCTS })
  const server = await startServer('server.ts', shop.url)
  const goodput = async (connections: number) => {
    const requests = Array.from({ length: ORDERS }, (_, n) => checkoutRequest(1 + (n % USERS), 1 + (n % PRODUCTS)))
    const load = eachOnce(server, await Promise.all(requests), connections)
    return (await measure({ ...load, retriesBusy: true, durationMs: DURATION_MS })).perSecond
  }
  const steps: { connections: number; perSecond: number }[] = []
  for (const connections of STEPS) {
    const perSecond = await goodput(connections)
    bench.print(`overload: ${connections} connections ${perSecond.toFixed(0)}`)
    steps.push({ connections, perSecond })
  }
  const perSecondMax = Math.max(...steps.map(({ perSecond }) => perSecond))
  const best = steps.find(({ perSecond }) => perSecond >= SHARE_OF_BEST * perSecondMax)?.connections ?? 0
  const tenfold = Math.min(10 * best, CONNECTIONS_MAX)
  const values = await inTurn(bench, 'overload', {
    tenfold: () => goodput(tenfold),
    best: () => goodput(best),
    all: () => goodput(CONNECTIONS_MAX),
  })
  await server.stop()
  await expectSound(shop)
  await shop.end()
  const baseline = { name: `${best.toLocaleString('en')}, the best`, values: values.best }
  const figure = (connections: number, values: number[]): Figure => ({
    name: `checkout, ${connections.toLocaleString('en')} connections`,
    unit: '/s',
    values,
    baseline,
  })
  return [{ ...figure(tenfold, values.tenfold), goal: { atLeast: 0.8 } }, figure(CONNECTIONS_MAX, values.all)]
}
