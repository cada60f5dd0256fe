import { isIPv6, SocketAddress } from 'node:net'
import { Refusal } from './refusals.ts'

const WINDOW_MS = 60_000
/** Some 20 MB. Beyond it, those whose minute began first are forgotten. */
const CALLERS_MAX = 200_000
const ADDRESS_LENGTH_MAX = 45

/** Counts one procedure call of a caller; @throws Refusal rate_limited. */
export type Admit = (caller: { address: string } | { userId: number }) => void

/** Milliseconds that only ever grow. */
interface Clock {
  now: () => number
}

/**
 * Counts the calls of each key in its own minute, which begins with its first call. The keys lie in the order in which
 * their minutes end, so that those which are over are forgotten from the front, without a timer.
 */
export class RateLimiter {
  readonly #callsPerMinute: number
  readonly #clock: Clock
  readonly #counts = new Map<string, { calls: number; endsAt: number }>()

  constructor(callsPerMinute: number, clock: Clock = performance) {
    this.#callsPerMinute = callsPerMinute
    this.#clock = clock
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#counts.size
  }

  /** @throws Refusal rate_limited */
  admit(key: string): void {
    const now = this.#clock.now()
    this.#forget(now)
    const count = this.#counts.get(key)
    if (!count) this.#counts.set(key, { calls: 1, endsAt: now + WINDOW_MS })
    else if (count.calls < this.#callsPerMinute) count.calls++
    else throw new Refusal('rate_limited', { afterMs: Math.ceil(count.endsAt - now) })
  }

  #forget(now: number): void {
    for (const [key, { endsAt }] of this.#counts) {
      if (endsAt > now && this.#counts.size < CALLERS_MAX) return
      this.#counts.delete(key)
    }
  }
}

/** Admits `callsPerMinute` calls of each address and of each user in a minute; null admits every call. */
export function createAdmit(callsPerMinute: number | null): Admit {
  if (callsPerMinute === null) return () => undefined
  const limiter = new RateLimiter(callsPerMinute)
  return (caller) =>
    limiter.admit('userId' in caller ? `user:${caller.userId}` : `address:${networkOf(caller.address)}`)
}

/**
 * What an address counts as: an IPv6 network of 64 bits, because whoever has one address of it has them all. An IPv4
 * address is itself, also where it is written as IPv6.
 */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address.slice(0, ADDRESS_LENGTH_MAX)
  const [unzoned = ''] = address.split('%')
  const { address: shortest } = new SocketAddress({ address: unzoned, family: 'ipv6' })
  const [, mapped] = /^::ffff:([\d.]+)$/.exec(shortest) ?? []
  if (mapped) return mapped
  const [head = '', tail] = shortest.split('::')
  const before = head.split(':').filter(Boolean)
  const after = (tail ?? '').split(':').filter(Boolean)
  const zeros = Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0')
  return `${[...before, ...zeros, ...after].slice(0, 4).join(':')}::/64`
}
