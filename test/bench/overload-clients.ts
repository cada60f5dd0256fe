/** The clients of overload.ts, in a process of their own. */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { Agent, request } from 'node:http'

export interface Order {
  port: number
  connections: number
  what: 'checkout' | 'list'
  patient: boolean
  warmUpMs: number
  measureMs: number
  tokens: string[]
  products: { id: number; price: number }[]
}

export interface Measured {
  served: number
  shed: number
  failed: number
  p50: number
  p99: number
}

const RAMP_MS = 1_000

const wait = (ms: number) => new Promise((done) => setTimeout(done, ms))

async function run(order: Order): Promise<Measured> {
  const { port, connections, patient, tokens, products } = order
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const took: number[] = []
  const counts = { shed: 0, failed: 0 }
  let isMeasuring = false
  let isOver = false

  const call = async (n: number): Promise<number> => {
    const product = products[n % products.length] ?? { id: 0, price: 0 }
    const body =
      order.what === 'checkout'
        ? JSON.stringify({
            json: {
              items: [{ productId: product.id, quantity: 1, price: product.price }],
              idempotencyKey: randomUUID(),
            },
          })
        : undefined
    const sent = request({
      agent,
      port,
      host: '127.0.0.1',
      method: body ? 'POST' : 'GET',
      path: body ? '/trpc/orders.checkout' : '/trpc/products.list',
      headers: {
        authorization: `Bearer ${tokens[n % tokens.length]}`,
        ...(body && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      },
    })
    sent.end(body)
    const [response] = await once(sent, 'response')
    response.resume()
    await once(response, 'end')
    return response.statusCode
  }

  const connection = async (n: number) => {
    await wait(Math.random() * RAMP_MS)
    for (let turn = n; !isOver; turn += connections) {
      const began = performance.now()
      const status = await call(turn).catch(() => 0)
      if (isMeasuring) {
        if (status === 200) took.push(performance.now() - began)
        else if (status === 503) counts.shed++
        else counts.failed++
      }
      if (status === 503 && patient) await wait(1_000 + Math.random() * 500)
    }
  }

  const all = Promise.all(Array.from({ length: connections }, (_, n) => connection(n)))
  await wait(RAMP_MS + order.warmUpMs)
  isMeasuring = true
  process.send?.('begins')
  await wait(order.measureMs)
  isMeasuring = false
  process.send?.('ends')
  isOver = true
  await all
  took.sort((a, b) => a - b)
  const at = (part: number) => took[Math.floor(took.length * part)] ?? Number.NaN
  return { served: took.length, ...counts, p50: at(0.5), p99: at(0.99) }
}

process.once('message', async (order: Order) => {
  process.send?.(await run(order))
})
