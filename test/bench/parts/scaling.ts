import { type Listening, measure, startServer } from '../processes.ts'
import type { Figure } from '../report.ts'
import { eachOnce, payRequest } from '../requests.ts'
import { type Bench, inTurn } from '../rounds.ts'
import { fillShop, newDatabase, placeOrders } from '../seed.ts'
import { expectSound } from './payments.ts'

const USERS = 1_024
const SERVERS = 4
const CONNECTIONS_PER_LOAD = 128
/** More than can be paid in a round. */
const ORDERS_PER_LOAD = 15_000

/** Measures the payments of one hot product at four server processes, and at one that receives the same load. */
export async function scaling(bench: Bench): Promise<Figure[]> {
  const shop = await newDatabase(bench.server, 'scaling')
  await fillShop(shop, { users: USERS, products: 1 })
  const [first, ...others] = await Promise.all(
    Array.from({ length: SERVERS }, () => startServer('server.ts', shop.url)),
  )
  if (!first) throw new Error('At least one server is required.')
  const four = [first, ...others]

  /** Pays with as many loads as there are servers of `four`, each at one server. Returns the payments a second of each load. */
  const pay = async (serverOf: (load: number) => Listening) => {
    const count = SERVERS * ORDERS_PER_LOAD
    const orders = await placeOrders(shop, { count, users: USERS, products: 1 })
    const requests = await Promise.all(orders.map(payRequest))
    const loads = Array.from({ length: SERVERS }, (_, load) =>
      eachOnce(
        serverOf(load),
        requests.filter((_, index) => index % SERVERS === load),
        CONNECTIONS_PER_LOAD,
      ),
    )
    // On a slow disk, a server that waits for the product for a second responds with `service_busy`.
    const measured = await Promise.all(loads.map((load) => measure({ ...load, retriesBusy: true })))
    return measured.map(({ perSecond }) => perSecond)
  }
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0)
  const values = await inTurn(
    bench,
    'scaling',
    { four: () => pay((load) => four[load] ?? first), one: () => pay(() => first) },
    (rates) => rates.map(Math.round).join(' + '),
  )
  await Promise.all(four.map((server) => server.stop()))
  await expectSound(shop)
  await shop.end()
  return [
    {
      name: 'pay, one hot product, at four servers',
      unit: '/s',
      values: values.four.map(sum),
      baseline: { name: 'at one', values: values.one.map(sum) },
      goal: { atLeast: 1 },
    },
    {
      name: 'pay, one hot product, at the slowest of four servers',
      unit: '/s',
      values: values.four.map((rates) => Math.min(...rates)),
      baseline: { name: 'an equal share', values: values.four.map((rates) => sum(rates) / SERVERS) },
      goal: { atLeast: 0.5 },
    },
  ]
}
