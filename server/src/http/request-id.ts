import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** Returns the request id that a proxy or the client sent in `x-request-id`, if it is well-formed, or a new UUID. */
export function requestIdOf({ headers }: IncomingMessage): string {
  const received = headers['x-request-id']
  return typeof received === 'string' && /^[\w-]{8,64}$/.test(received) ? received : randomUUID()
}
