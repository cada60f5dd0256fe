import { connect } from '@pointwise/db'
import { audit } from '@pointwise/server'
import type { Bench } from '../bench.ts'
import { measure, startServer } from '../processes.ts'
import type { Figure } from '../report.ts'
import { barePayRequest, checkoutRequest, deal, get, payRequest, placeRequest } from '../requests.ts'
import { fillShop, newDatabase, placeOrders, type Seeded } from '../seed.ts'

const USERS = 1_024
const PRODUCTS = 200
const CONNECTIONS = 64
const DURATION_MS = 2_500
/** More than can be paid in a round. */
const ORDERS = 60_000
const SLOW_ORDERS = 12_000

/** Paying, against the textbook over the same HTTP and against Fastify and mysql2 alone. */
export async function payments({ server, rounds, say }: Bench): Promise<Figure[]> {
  const [shop, textbook] = [await newDatabase(server, 'shop'), await newDatabase(server, 'textbook')]
  for (const seeded of [shop, textbook]) await fillShop(seeded, { users: USERS, products: PRODUCTS })
  const [ours, theirs] = [await startServer('server.ts', shop.url), await startServer('yardsticks.ts', textbook.url)]

  const pay = async (to: typeof ours, seeded: Seeded, products: number, connections = CONNECTIONS, count = ORDERS) => {
    const orders = await placeOrders(seeded, { count, users: USERS, products })
    const requests = await Promise.all(orders.map(payRequest))
    return measure({ port: to.port, connections: deal(requests, connections), repeat: false, durationMs: DURATION_MS })
  }
  const bare = async (products: number) => {
    const orders = await placeOrders(textbook, { count: SLOW_ORDERS, users: USERS, products })
    const connections = deal(orders.map(barePayRequest), CONNECTIONS)
    return measure({ port: theirs.port, connections, repeat: false, durationMs: DURATION_MS })
  }
  const checkout = async () => {
    const requests = await Promise.all(
      Array.from({ length: ORDERS }, (_, index) => checkoutRequest(1 + (index % USERS), 1)),
    )
    return measure({
      port: ours.port,
      connections: deal(requests, CONNECTIONS),
      repeat: false,
      durationMs: DURATION_MS,
    })
  }
  /** Placing and paying, one after the other, as one who has no checkout must; in orders a second. */
  const placeAndPay = async () => {
    const requests = await Promise.all(
      Array.from({ length: SLOW_ORDERS }, (_, index) => placeRequest(1 + (index % USERS), 1)),
    )
    const placed = await measure({
      port: theirs.port,
      connections: deal(requests, CONNECTIONS),
      repeat: false,
      durationMs: DURATION_MS,
    })
    const paid = perSecond(await pay(theirs, textbook, 1, CONNECTIONS, SLOW_ORDERS))
    return 1 / (1 / perSecond(placed) + 1 / paid)
  }
  const nothing = () =>
    measure({
      port: theirs.port,
      connections: deal(
        Array.from({ length: CONNECTIONS }, () => get('/trpc/nothing.at')),
        CONNECTIONS,
      ),
      repeat: true,
      durationMs: DURATION_MS,
    })

  const measures = {
    hot: async () => perSecond(await pay(ours, shop, 1)),
    textbookHot: async () => perSecond(await pay(theirs, textbook, 1, CONNECTIONS, SLOW_ORDERS)),
    bareHot: async () => perSecond(await bare(1)),
    nothing: async () => perSecond(await nothing()),
    spread: async () => perSecond(await pay(ours, shop, PRODUCTS)),
    textbookSpread: async () => perSecond(await pay(theirs, textbook, PRODUCTS, CONNECTIONS, SLOW_ORDERS)),
    bareSpread: async () => perSecond(await bare(PRODUCTS)),
    checkout: async () => perSecond(await checkout()),
    placeAndPay,
    alone: async () => (await pay(ours, shop, PRODUCTS, 1, 3_000)).p50Ms,
    textbookAlone: async () => (await pay(theirs, textbook, PRODUCTS, 1, 3_000)).p50Ms,
  }
  const values = Object.fromEntries(Object.keys(measures).map((name) => [name, []])) as unknown as Record<
    keyof typeof measures,
    number[]
  >
  for (let round = 0; round <= rounds; round++) {
    for (const [name, take] of Object.entries(measures)) {
      const value = await take()
      say(`payments, ${round === 0 ? 'warm-up' : `round ${round} of ${rounds}`}: ${name} ${value.toFixed(1)}`)
      if (round > 0) values[name as keyof typeof measures].push(value)
    }
  }
  const memory = await ours.memoryMb()
  await Promise.all([ours.stop(), theirs.stop()])
  await expectSound(shop)
  await Promise.all([shop.end(), textbook.end()])

  const against = (name: string, values: number[]) => ({ name, values })
  return [
    {
      name: 'pay, one hot product',
      unit: '/s',
      values: values.hot,
      yardstick: against('textbook', values.textbookHot),
      goal: { atLeast: 8 },
    },
    {
      name: 'pay, spread',
      unit: '/s',
      values: values.spread,
      yardstick: against('textbook', values.textbookSpread),
      goal: { atLeast: 4 },
    },
    {
      name: 'checkout, one hot product',
      unit: '/s',
      values: values.checkout,
      yardstick: against('textbook place + pay', values.placeAndPay),
      goal: { atLeast: 8 },
    },
    {
      name: 'pay, spread',
      unit: '/s',
      values: values.spread,
      yardstick: against('bare Fastify and mysql2', values.bareSpread),
      goal: { atLeast: 1.3 },
    },
    {
      name: 'pay, one hot product',
      unit: '/s',
      values: values.hot,
      yardstick: against('bare Fastify and mysql2', values.bareHot),
      goal: { atLeast: 2.5 },
    },
    {
      name: 'pay, one caller at a time, p50',
      unit: 'ms',
      values: values.alone,
      yardstick: against('textbook', values.textbookAlone),
      goal: { atMost: 1 },
    },
    {
      name: 'pay, one hot product',
      unit: '/s',
      values: values.hot,
      yardstick: against('a procedure that does nothing', values.nothing),
      goal: { atLeast: 0.5 },
    },
    {
      name: 'memory of the server after it',
      unit: 'MB',
      values: [memory],
      yardstick: against('bound', [250]),
      goal: { atMost: 1 },
    },
  ]
}

export const perSecond = ({
  completed,
  seconds,
  statuses,
}: {
  completed: number
  seconds: number
  statuses: Record<string, number>
}) => {
  const failed = completed - (statuses['200'] ?? 0)
  if (failed > 0)
    throw new Error(`${failed} of ${completed} requests were not answered with 200: ${JSON.stringify(statuses)}`)
  return completed / seconds
}

/** Nothing is oversold, and the books agree. */
export async function expectSound({ url }: Seeded): Promise<void> {
  const db = connect(url, { statementTimeoutMs: 600_000 })
  const report = await audit(db)
  await db.destroy()
  if (!report.sound)
    throw new Error(`The books do not agree: ${JSON.stringify(report.checks.filter(({ broken }) => broken > 0))}`)
}
