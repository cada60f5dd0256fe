import { isIPv6, SocketAddress } from 'node:net'
import { Refusal } from '../refusals.ts'

const WINDOW_MS = 60_000
/** Some 20 MB. Beyond it, the older half is forgotten. */
const CALLERS_MAX = 200_000
const ADDRESS_LENGTH_MAX = 45

/** Counts one procedure call of a caller; @throws Refusal rate_limited. */
export type ConsumeRateLimit = (caller: { address: string } | { userId: number }) => void

/** Milliseconds that only ever grow. */
interface Clock {
  now: () => number
}

/**
 * Counts the calls of each key in its own minute, which begins with its first call. Keys lie with those that came in the
 * same minute, and are forgotten together with them: no timer, and nobody looks through them all.
 */
export class RateLimiter {
  readonly #callsPerMinute: number
  readonly #clock: Clock
  #young: Counts = new Map()
  #old: Counts = new Map()
  #youngSince: number

  constructor(callsPerMinute: number, clock: Clock = performance) {
    this.#callsPerMinute = callsPerMinute
    this.#clock = clock
    this.#youngSince = clock.now()
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#young.size + this.#old.size
  }

  /** @throws Refusal rate_limited */
  consume(key: string): void {
    const now = this.#clock.now()
    this.#forget(now)
    const count = this.#young.get(key) ?? this.#old.get(key)
    if (!count || count.endsAt <= now) this.#young.set(key, { calls: 1, endsAt: now + WINDOW_MS })
    else if (count.calls < this.#callsPerMinute) count.calls++
    else throw new Refusal('rate_limited', { afterMs: Math.ceil(count.endsAt - now) })
  }

  /** A key that came a minute ago is over; one that is younger than that lies among the young or the old. */
  #forget(now: number): void {
    if (now - this.#youngSince < WINDOW_MS && this.#young.size < CALLERS_MAX / 2) return
    this.#old = now - this.#youngSince < 2 * WINDOW_MS ? this.#young : new Map()
    this.#young = new Map()
    this.#youngSince = now
  }
}

type Counts = Map<string, { calls: number; endsAt: number }>

/** Admits `callsPerMinute` calls of each address and of each user in a minute; null admits every call. */
export function createConsumeRateLimit(callsPerMinute: number | null): ConsumeRateLimit {
  if (callsPerMinute === null) return () => undefined
  const limiter = new RateLimiter(callsPerMinute)
  return (caller) =>
    limiter.consume('userId' in caller ? `user:${caller.userId}` : `address:${clientNetwork(caller.address)}`)
}

/**
 * What an address counts as: an IPv6 network of 64 bits, because whoever has one address of it has them all. An IPv4
 * address is itself, also where it is written as IPv6.
 */
export function clientNetwork(address: string): string {
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
