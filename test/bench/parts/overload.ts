import type { Bench } from '../bench.ts'
import { measure, startServer } from '../processes.ts'
import type { Figure } from '../report.ts'
import { checkoutRequest, eachOnce } from '../requests.ts'
import { inTurn } from '../rounds.ts'
import { fillShop, newDatabase } from '../seed.ts'
import { expectSound } from './payments.ts'

const USERS = 1_024
const PRODUCTS = 50
const STEPS = [64, 128, 256, 512, 1_024]
/** Beyond ten thousand the server lets nobody in. */
const CONNECTIONS_MAX = 9_900
const DURATION_MS = 6_000
/** More than can be ordered in a round. */
const ORDERS = 60_000

/** What is still served when ten times as many connections ask as the server serves best. */
export async function overload(bench: Bench): Promise<Figure[]> {
  const shop = await newDatabase(bench.server, 'overload')
  await fillShop(shop, { users: USERS, products: PRODUCTS })
  const ours = await startServer('server.ts', shop.url)
  const goodput = async (connections: number) => {
    const requests = Array.from({ length: ORDERS }, (_, n) => checkoutRequest(1 + (n % USERS), 1 + (n % PRODUCTS)))
    const load = eachOnce(ours, await Promise.all(requests), connections)
    return (await measure({ ...load, isPatient: true, durationMs: DURATION_MS })).perSecond
  }
  let best = { connections: 0, perSecond: 0 }
  for (const connections of STEPS) {
    const perSecond = await goodput(connections)
    bench.say(`overload: ${connections} connections ${perSecond.toFixed(0)}`)
    if (perSecond > best.perSecond) best = { connections, perSecond }
  }
  const tenfold = Math.min(10 * best.connections, CONNECTIONS_MAX)
  const { over, at } = await inTurn(bench, 'overload', {
    over: () => goodput(tenfold),
    at: () => goodput(best.connections),
  })
  await ours.stop()
  await expectSound(shop)
  await shop.end()
  return [
    {
      name: `checkout, ${tenfold.toLocaleString('en')} connections`,
      unit: '/s',
      values: over,
      yardstick: { name: `${best.connections.toLocaleString('en')}, which it serves best`, values: at },
      goal: { atLeast: 0.8 },
    },
  ]
}
