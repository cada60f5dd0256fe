import { connect } from '@pointwise/db'
import { audit } from '@pointwise/server'
import { measure, startServer } from '../processes.ts'
import type { Figure } from '../report.ts'
import { barePayRequest, checkoutRequest, eachOnce, payRequest, placeRequest, repeatedly } from '../requests.ts'
import { type Bench, inTurn } from '../rounds.ts'
import { fillShop, newDatabase, placeOrders, type Seeded } from '../seed.ts'

const USERS = 1_024
const PRODUCTS = 200
const CONNECTIONS = 64
/** More than can be paid in a round. */
const ORDERS = 60_000
const SLOW_ORDERS = 12_000

interface PayLoad {
  products: number
  connections?: number
  count?: number
}

/** Measures payments, compared with the textbook payment over the same HTTP and with Fastify and mysql2 only. */
export async function payments(bench: Bench): Promise<Figure[]> {
  const [shop, textbook] = [await newDatabase(bench.server, 'shop'), await newDatabase(bench.server, 'textbook')]
  for (const seeded of [shop, textbook]) await fillShop(seeded, { users: USERS, products: PRODUCTS })
  const [pointwise, baselines] = [
    await startServer('server.ts', shop.url),
    await startServer('baselines.ts', textbook.url),
  ]

  /** Pays for orders that were placed before. */
  const pay = async (
    on: 'pointwise' | 'textbook' | 'bare',
    { products, connections = CONNECTIONS, count = on === 'pointwise' ? ORDERS : SLOW_ORDERS }: PayLoad,
  ) => {
    const orders = await placeOrders(on === 'pointwise' ? shop : textbook, { count, users: USERS, products })
    const requests = await Promise.all(
      orders.map(async (order) => (on === 'bare' ? barePayRequest(order) : payRequest(order))),
    )
    return measure(eachOnce(on === 'pointwise' ? pointwise : baselines, requests, connections))
  }
  const payPerSecond = async (...of: Parameters<typeof pay>) => (await pay(...of)).perSecond
  const payAlone = async (on: 'pointwise' | 'textbook') =>
    (await pay(on, { products: PRODUCTS, connections: 1, count: 3_000 })).p50Ms
  const order = async (to: typeof pointwise, request: typeof checkoutRequest, count: number) => {
    const requests = Array.from({ length: count }, (_, index) => request(1 + (index % USERS), 1))
    return (await measure(eachOnce(to, await Promise.all(requests), CONNECTIONS))).perSecond
  }

  const values = await inTurn(bench, 'payments', {
    hot: () => payPerSecond('pointwise', { products: 1 }),
    textbookHot: () => payPerSecond('textbook', { products: 1 }),
    bareHot: () => payPerSecond('bare', { products: 1 }),
    nothing: async () => (await measure(repeatedly(baselines, '/trpc/nothing.at', CONNECTIONS))).perSecond,
    spread: () => payPerSecond('pointwise', { products: PRODUCTS }),
    textbookSpread: () => payPerSecond('textbook', { products: PRODUCTS }),
    bareSpread: () => payPerSecond('bare', { products: PRODUCTS }),
    checkout: () => order(pointwise, checkoutRequest, ORDERS),
    // Places and pays in two calls, as a client without a checkout must do; in orders a second.
    placeAndPay: async () => {
      const placed = await order(baselines, placeRequest, SLOW_ORDERS)
      return 1 / (1 / placed + 1 / (await payPerSecond('textbook', { products: 1 })))
    },
    alone: () => payAlone('pointwise'),
    textbookAlone: () => payAlone('textbook'),
  })
  const memory = await pointwise.memoryMb()
  await Promise.all([pointwise.stop(), baselines.stop()])
  await expectSound(shop)
  await Promise.all([shop.end(), textbook.end()])

  return figuresOf(values, memory)
}

type Measurement =
  | 'hot'
  | 'textbookHot'
  | 'bareHot'
  | 'nothing'
  | 'spread'
  | 'textbookSpread'
  | 'bareSpread'
  | 'checkout'
  | 'placeAndPay'
  | 'alone'
  | 'textbookAlone'

function figuresOf(values: Record<Measurement, number[]>, memory: number): Figure[] {
  const against = (name: string, values: number[]) => ({ name, values })
  return [
    {
      name: 'pay, one hot product',
      unit: '/s',
      values: values.hot,
      baseline: against('textbook', values.textbookHot),
      goal: { atLeast: 8 },
    },
    {
      name: 'pay, spread',
      unit: '/s',
      values: values.spread,
      baseline: against('textbook', values.textbookSpread),
      goal: { atLeast: 4 },
    },
    {
      name: 'checkout, one hot product',
      unit: '/s',
      values: values.checkout,
      baseline: against('textbook place + pay', values.placeAndPay),
      goal: { atLeast: 8 },
    },
    {
      name: 'pay, spread',
      unit: '/s',
      values: values.spread,
      baseline: against('bare Fastify and mysql2', values.bareSpread),
      goal: { atLeast: 1.3 },
    },
    {
      name: 'pay, one hot product',
      unit: '/s',
      values: values.hot,
      baseline: against('bare Fastify and mysql2', values.bareHot),
      goal: { atLeast: 2.5 },
    },
    {
      name: 'pay, one caller at a time, p50',
      unit: 'ms',
      values: values.alone,
      baseline: against('textbook', values.textbookAlone),
      goal: { atMost: 1 },
    },
    {
      name: 'pay, one hot product',
      unit: '/s',
      values: values.hot,
      baseline: against('a procedure that does nothing', values.nothing),
      goal: { atLeast: 0.5 },
    },
    {
      name: 'peak memory of the server',
      unit: 'MB',
      values: [memory],
      baseline: against('bound', [250]),
      goal: { atMost: 1 },
    },
  ]
}

/** Runs the audit. @throws Error when it finds a broken promise */
export async function expectSound({ url }: Seeded): Promise<void> {
  const db = connect(url, { statementTimeoutMs: 600_000 })
  const report = await audit(db)
  await db.destroy()
  if (report.sound) return
  const broken = report.checks
    .filter((check) => check.broken > 0)
    .map(({ name, broken, findings: [first] }) => ({ name, broken, first }))
  throw new Error(`The audit of the benchmark's database found broken promises: ${JSON.stringify(broken)}`)
}
