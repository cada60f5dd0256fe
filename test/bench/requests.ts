import { randomUUID } from 'node:crypto'
import { tokenOf } from './listening.ts'

const tokens = new Map<number, Promise<string>>()

async function bearer(userId: number): Promise<string> {
  const token = tokens.get(userId) ?? tokenOf(userId)
  tokens.set(userId, token)
  return `authorization: Bearer ${await token}\r\n`
}

const post = (path: string, headers: string, body: string) =>
  `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${headers}content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

export const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`

export async function payRequest({ orderId, userId }: { orderId: number; userId: number }): Promise<string> {
  return post('/trpc/payments.pay', await bearer(userId), JSON.stringify({ json: { orderId } }))
}

export function barePayRequest(order: { orderId: number; userId: number }): string {
  return post('/bare/pay', '', JSON.stringify(order))
}

const itemsOf = (productId: number) => ({
  items: [{ productId, quantity: 1, price: 1 }],
  idempotencyKey: randomUUID(),
})

export async function checkoutRequest(userId: number, productId: number): Promise<string> {
  return post('/trpc/orders.checkout', await bearer(userId), JSON.stringify({ json: itemsOf(productId) }))
}

export async function placeRequest(userId: number, productId: number): Promise<string> {
  return post('/trpc/orders.place', await bearer(userId), JSON.stringify({ json: itemsOf(productId) }))
}

/** Deals requests out to connections, in turn. */
export function deal(requests: string[], connections: number): { requests: string[] }[] {
  const hands = Array.from({ length: connections }, (): { requests: string[] } => ({ requests: [] }))
  for (const [index, request] of requests.entries()) hands[index % connections]?.requests.push(request)
  return hands
}
