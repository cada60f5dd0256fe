import { randomUUID } from 'node:crypto'
import { signUserToken } from '../setup/configuration.ts'
import type { Load } from './load.ts'

const tokens = new Map<number, Promise<string>>()

async function bearer(userId: number): Promise<string> {
  const token = tokens.get(userId) ?? signUserToken(userId)
  tokens.set(userId, token)
  return `authorization: Bearer ${await token}\r\n`
}

const post = (path: string, headers: string, body: string) =>
  `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${headers}content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

/** How long a load lasts. */
const DURATION_MS = 2_500

const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`

export async function payRequest({ orderId, userId }: { orderId: number; userId: number }): Promise<string> {
  return post('/trpc/payments.pay', await bearer(userId), JSON.stringify({ json: { orderId } }))
}

export function barePayRequest(order: { orderId: number; userId: number }): string {
  return post('/bare/pay', '', JSON.stringify(order))
}

const itemsOf = (...productIds: number[]) => ({
  items: productIds.map((productId) => ({ productId, quantity: 1, price: 1 })),
  idempotencyKey: randomUUID(),
})

export async function checkoutRequest(userId: number, ...productIds: number[]): Promise<string> {
  return post('/trpc/orders.checkout', await bearer(userId), JSON.stringify({ json: itemsOf(...productIds) }))
}

export async function placeRequest(userId: number, productId: number): Promise<string> {
  return post('/trpc/orders.place', await bearer(userId), JSON.stringify({ json: itemsOf(productId) }))
}

/** A load that sends each request once. The requests are distributed over the connections in turn. */
export function eachOnce({ port }: { port: number }, requests: string[], connections: number): Load {
  const load = Array.from({ length: connections }, (): { requests: string[] } => ({ requests: [] }))
  for (const [index, request] of requests.entries()) load[index % connections]?.requests.push(request)
  return { port, connections: load, repeat: false, durationMs: DURATION_MS }
}

/** A load that repeats one request on a number of connections. */
export function repeatedly({ port }: { port: number }, path: string, connections: number): Load {
  const load = Array.from({ length: connections }, () => ({ requests: [get(path)] }))
  return { port, connections: load, repeat: true, durationMs: DURATION_MS }
}
