import { once } from 'node:events'
import { createServer } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { createClient, refusalOf } from '@pointwise/client-sdk'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { urlOf } from '../../server/src/http/address.ts'
import { JWT_SECRET } from '../setup/configuration.ts'
import { run } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { type FaultProxy, faultProxy } from '../setup/fault-proxy.ts'
import { ServerProcess } from '../setup/server-process.ts'
import { type Caller, type Client, type GivenUser, item, openShop, type Product, type Shop } from '../setup/shop.ts'

/** How long the load balancer waits for a server. It is shorter than the deadline of an attempt. */
const GATEWAY_TIMEOUT_MS = 500
/** An attempt has more time than a server reserves for a batch of payments after a long one. */
const TIMES = { attemptTimeoutMs: 2_500, timeoutMs: 60_000 }

let shop: Shop
/** Between server A and the database. */
let proxy: FaultProxy
let [a, b]: [ServerProcess?, ServerProcess?] = []
beforeAll(async () => {
  shop = await openShop()
  proxy = await faultProxy(shop.databaseUrl)
  const env = { JWT_SECRET, RATE_LIMIT: 'off', LOG_LEVEL: 'info', PORT: '0', DATABASE_URL: shop.databaseUrl }
  a = new ServerProcess({ ...env, DATABASE_URL: proxy.url })
  b = new ServerProcess(env)
})
afterEach(() => proxy.clear())
afterAll(async () => {
  await a?.[Symbol.asyncDispose]()
  await b?.[Symbol.asyncDispose]()
  await proxy?.close()
  await shop?.[Symbol.asyncDispose]()
})

interface Balancer extends AsyncDisposable {
  url: string
  /** The deadlines of the requests so far. */
  deadlines: number[]
  /** The response to the first request, which arrived too late at the load balancer. */
  firstResponse: Promise<{ error?: { json: { data: { refusal: unknown } } } }>
}

/**
 * A load balancer. It sends the first request to server A when `delivered` settles, and all others to server B. A request that is not
 * answered in time is answered with status 504, but not cancelled.
 */
async function startBalancer(delivered: Promise<void> = Promise.resolve()): Promise<Balancer> {
  const urls = [(await a?.url()) ?? '', (await b?.url()) ?? '']
  const first = Promise.withResolvers<Response>()
  const deadlines: number[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    const isFirst = deadlines.push(Number(request.headers['request-deadline'])) === 1
    const headers = Object.entries(request.headers).filter(
      ([name]) => !['host', 'connection', 'content-length'].includes(name),
    )
    const send = () =>
      fetch(`${urls[isFirst ? 0 : 1]}${request.url}`, {
        method: 'POST',
        headers: Object.fromEntries(headers) as Record<string, string>,
        body,
      })
    const answer = isFirst ? delivered.then(send) : send()
    if (isFirst) answer.then(first.resolve, first.reject)
    const inTime = await Promise.race([answer, delay(isFirst ? GATEWAY_TIMEOUT_MS : 30_000)])
    if (!inTime) response.writeHead(504, { 'content-type': 'text/html' }).end('<h1>Gateway Timeout</h1>')
    else response.writeHead(inTime.status, Object.fromEntries(withoutEncoding(inTime.headers))).end(await inTime.text())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: urlOf(server),
    deadlines,
    firstResponse: first.promise.then((response) => response.clone().json() as Balancer['firstResponse']),
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

const withoutEncoding = (headers: Headers) =>
  [...headers].filter(
    ([name]) => !['content-encoding', 'content-length', 'transfer-encoding', 'connection'].includes(name),
  )

interface Given {
  user: GivenUser
  admin: Caller
  product: Product
  /** A pending order of 100 points, if the call pays one. */
  orderId: number
}

/** A call that is refused at first, and would succeed after `unblock`. */
interface Case {
  path: string
  refusal: string
  by?: 'admin'
  points: number
  block?: (given: Given) => Promise<unknown>
  unblock: (given: Given) => Promise<unknown>
  call: (client: Client, given: Given) => Promise<unknown>
  effects: (given: Given) => string
}

const topUp = ({ user }: Given) => shop.asUser(user.id).points.charge({ amount: 100 })
const reprice =
  (price: number) =>
  ({ admin, product }: Given) =>
    admin.products.update({ productId: product.id, price })
const restock =
  (quantity: number) =>
  ({ admin, product }: Given) =>
    admin.products.restock({ productId: product.id, quantity })
const checkout = (client: Client, { product }: Given) => client.orders.checkout.mutate({ items: [item(product)] })
const place = (client: Client, { product }: Given) => client.orders.place.mutate({ items: [item(product)] })
const paymentsOf = ({ user }: Given) => `payments where user_id = ${user.id}`
const ordersOf = ({ user }: Given) => `orders where user_id = ${user.id}`

const CASES: Case[] = [
  {
    path: 'orders.checkout',
    refusal: 'points_insufficient',
    points: 50,
    unblock: topUp,
    call: checkout,
    effects: paymentsOf,
  },
  {
    path: 'orders.checkout',
    refusal: 'price_changed',
    points: 500,
    block: reprice(101),
    unblock: reprice(100),
    call: checkout,
    effects: paymentsOf,
  },
  {
    path: 'orders.checkout',
    refusal: 'stock_insufficient',
    points: 500,
    block: restock(-10),
    unblock: restock(10),
    call: checkout,
    effects: paymentsOf,
  },
  {
    path: 'orders.place',
    refusal: 'price_changed',
    points: 0,
    block: reprice(101),
    unblock: reprice(100),
    call: place,
    effects: ordersOf,
  },
  {
    path: 'orders.place',
    refusal: 'stock_insufficient',
    points: 0,
    block: restock(-10),
    unblock: restock(10),
    call: place,
    effects: ordersOf,
  },
  {
    path: 'payments.pay',
    refusal: 'points_insufficient',
    points: 50,
    unblock: topUp,
    call: (client, { orderId }) => client.payments.pay.mutate({ orderId }),
    effects: paymentsOf,
  },
  {
    path: 'points.charge',
    refusal: 'points_limit_exceeded',
    points: 999_950,
    unblock: ({ user, product }) => shop.asUser(user.id).orders.checkout({ items: [item(product)] }),
    call: (client) => client.points.charge.mutate({ amount: 77 }),
    effects: ({ user }) =>
      `point_histories join points on points.id = point_id where user_id = ${user.id} and point_histories.point = 77`,
  },
  {
    path: 'products.restock',
    refusal: 'stock_insufficient',
    by: 'admin',
    points: 0,
    unblock: restock(20),
    call: (client, { product }) => client.products.restock.mutate({ productId: product.id, quantity: -15 }),
    effects: ({ product }) => `stock_changes where product_id = ${product.id} and \`change\` = -15`,
  },
]

async function given({ points, block }: Case): Promise<Given> {
  const user = await shop.givenUser({ points })
  const product = await shop.givenProduct({ price: 100, stock: 10 })
  const { id: orderId } = await shop.asUser(user.id).orders.place({ items: [item(product)] })
  const rows = { user, admin: shop.asAdmin(), product, orderId }
  await block?.(rows)
  return rows
}

async function countOf(rows: string): Promise<number> {
  return (await run<{ n: number }>(shop.db, `select count(*) as n from ${rows}`))[0]?.n ?? 0
}

const clientAt = async ({ url }: Balancer, { by }: Case, { user }: Given) =>
  createClient({ ...TIMES, url, token: by === 'admin' ? await shop.adminToken() : user.token })

describe.each([
  ['is delivered late', 'request'],
  ['reaches a server whose link to the database stalls', 'statement'],
] as const)('When the first attempt %s, a refusal stays true after the attempt goes on', (_, late) => {
  test.each(CASES)('$path: $refusal', async (each) => {
    const rows = await given(each)
    const before = await countOf(each.effects(rows))
    const released = Promise.withResolvers<void>()
    const stalled = late === 'statement' ? proxy.inject({ until: released.promise }, /^begin$/) : () => 1
    await using balancer = await startBalancer(late === 'request' ? released.promise : undefined)
    const client = await clientAt(balancer, each, rows)

    const error = await each.call(client, rows).then(
      (result) => expect.fail(`The call succeeded: ${JSON.stringify(result)}`),
      (error) => error,
    )
    expect(refusalOf(error)?.code).toBe(each.refusal)
    expect(stalled()).toBe(1)
    await each.unblock(rows)
    released.resolve()

    const { error: first } = await balancer.firstResponse
    expect(first?.json.data.refusal).toEqual({ code: 'deadline_exceeded', retry: 'same-key', afterMs: 0 })
    expect(await countOf(each.effects(rows))).toBe(before)
  })
})

describe('When the first attempt takes effect before its deadline, after a second attempt was refused', () => {
  test.each(CASES)('the call succeeds, once: $path, $refusal', async (each) => {
    const rows = await given(each)
    const before = await countOf(each.effects(rows))
    const released = Promise.withResolvers<void>()
    proxy.inject({ until: released.promise }, /^begin$/)
    await using balancer = await startBalancer()
    const called = each.call(await clientAt(balancer, each, rows), rows)
    // The second attempt is refused. On a slow machine it may be a later one; the call succeeds nevertheless.
    await eventually(() => balancer.deadlines.length).toBeGreaterThanOrEqual(2)
    await each.unblock(rows)
    released.resolve()
    await called
    expect(await countOf(each.effects(rows))).toBe(before + 1)
  })
})

describe('When the COMMIT of the first attempt arrives after its deadline', () => {
  test.each(CASES)('the call waits for it and succeeds, once: $path, $refusal', async (each) => {
    const rows = await given({ ...each, block: async () => undefined })
    if (!each.block) await each.unblock(rows)
    const before = await countOf(each.effects(rows))
    const committed = Promise.withResolvers<void>()
    const delayed = proxy.inject({ until: committed.promise }, /^commit$/)
    await using balancer = await startBalancer()
    const called = each.call(await clientAt(balancer, each, rows), rows)
    await eventually(delayed).toBe(1)
    await eventually(() => Date.now() > (balancer.deadlines[0] ?? 0)).toBe(true)
    committed.resolve()
    await called
    expect(await countOf(each.effects(rows))).toBe(before + 1)
  })
})
