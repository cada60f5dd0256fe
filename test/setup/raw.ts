import superjson from 'superjson'
import type { Shop } from './shop.ts'

export interface RawCall {
  input?: unknown
  token?: string
  headers?: Record<string, string>
}

interface RawAnswer {
  status: number
  headers: Headers
  text: string
  /** The refusal in the body, if that is what it is. */
  refusal: unknown
}

/** One call as any HTTP client would make it: nothing is retried, nothing added. */
export async function post(shop: Shop, path: string, { input, token, headers }: RawCall = {}): Promise<RawAnswer> {
  return answered(
    await fetch(`${shop.url}/trpc/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...bearer(token), ...headers },
      body: JSON.stringify(superjson.serialize(input)),
    }),
  )
}

export async function get(shop: Shop, path: string, { input, token, headers }: RawCall = {}): Promise<RawAnswer> {
  const query = input === undefined ? '' : `?input=${encodeURIComponent(JSON.stringify(superjson.serialize(input)))}`
  return answered(await fetch(`${shop.url}/trpc/${path}${query}`, { headers: { ...bearer(token), ...headers } }))
}

/** A subscription that is refused, which is told as the first event of a stream that ends. */
export async function refusedStream(shop: Shop, path: string, { input, token }: RawCall = {}): Promise<RawAnswer> {
  const query = input === undefined ? '' : `?input=${encodeURIComponent(JSON.stringify(superjson.serialize(input)))}`
  const { headers, body } = await fetch(`${shop.url}/trpc/${path}${query}`, { headers: bearer(token) })
  const text = await new Response(body).text()
  const [, error = '{}'] = /event: serialized-error\ndata: (.*)\n/.exec(text) ?? []
  const { data } = JSON.parse(error).json
  return { status: data.httpStatus, headers, text, refusal: data.refusal }
}

function bearer(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` }
}

async function answered(response: Response): Promise<RawAnswer> {
  const text = await response.text()
  const refusal = JSON.parse(text).error?.json.data.refusal
  return { status: response.status, headers: response.headers, text, refusal }
}
