import superjson from 'superjson'
import type { Shop } from './shop.ts'
import { type Answer, json, send } from './trpc-wire.ts'

export interface RawCall {
  input?: unknown
  token?: string
  headers?: Record<string, string>
}

interface RawAnswer extends Answer {
  /** The refusal in the body, if any. */
  refusal: unknown
}

/** One call without the SDK: nothing is retried and nothing is added. */
export async function post(shop: Shop, path: string, { input, token, headers }: RawCall = {}): Promise<RawAnswer> {
  const body = JSON.stringify(superjson.serialize(input))
  return withRefusal(await send(shop, `/trpc/${path}`, json(body, { ...bearer(token), ...headers })))
}

export async function get(shop: Shop, path: string, { input, token, headers }: RawCall = {}): Promise<RawAnswer> {
  return withRefusal(await send(shop, pathWithInput(path, input), { headers: { ...bearer(token), ...headers } }))
}

/** A subscription that is refused. The refusal is the first event of a stream that ends. */
export async function openRefusedStream(shop: Shop, path: string, { input, token }: RawCall = {}): Promise<RawAnswer> {
  const answer = await send(shop, pathWithInput(path, input), { headers: bearer(token) })
  const [, error = '{}'] = /event: serialized-error\ndata: (.*)\n/.exec(answer.text) ?? []
  const { data } = JSON.parse(error).json
  return { ...answer, status: data.httpStatus, refusal: data.refusal }
}

function pathWithInput(path: string, input: unknown): string {
  return `/trpc/${path}${input === undefined ? '' : `?input=${encodeURIComponent(JSON.stringify(superjson.serialize(input)))}`}`
}

function bearer(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` }
}

function withRefusal(answer: Answer): RawAnswer {
  return { ...answer, refusal: JSON.parse(answer.text).error?.json.data.refusal }
}
