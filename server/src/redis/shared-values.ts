import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import superjson from 'superjson'
import { Aged } from '../cache.ts'
import type { RedisConnection } from './redis-connection.ts'

/** How long the other servers wait for the value that one of them reads. Afterwards, the next one reads it. */
const READER_MS = 2_000
/** How often they look for it. With two commands that take too long, a wait ends within 200 ms when Redis hangs. */
const WAIT_MS = 25

/**
 * The keys of a value and of its reader contain the generation, so that a new generation invalidates all values of the name at once.
 * Keys: the generation; first argument: the key of the value.
 */
const KEYS = `
local generation = redis.call('get', KEYS[1]) or ''
local value = KEYS[1] .. ':' .. generation .. ':' .. ARGV[1]
local reader = value .. ':reader'`

/** Returns the value, or makes this server its reader: further arguments: token, time for reading. */
const GET = `${KEYS}
local found = redis.call('get', value)
if found then return {'value', found, redis.call('pttl', value)} end
if redis.call('set', reader, ARGV[2], 'nx', 'px', ARGV[3]) then return {'read'} end
return {'wait'}`

/**
 * Stores a value with its time to live, unless it was invalidated while it was read: then its reader belongs to an older
 * generation. Further arguments: token, value, time to live.
 */
const STORE = `${KEYS}
if redis.call('get', reader) ~= ARGV[2] then return end
redis.call('set', value, ARGV[4] .. ' ' .. ARGV[3], 'px', ARGV[4])
redis.call('del', reader)`

/** Lets another server read the value: further argument: token. */
const RELEASE = `${KEYS}
if redis.call('get', reader) == ARGV[2] then redis.call('del', reader) end`

type Reply = ['value', text: string, remainingMs: number] | ['read'] | ['wait']

export interface SharedValuesOptions<Value> {
  /** Distinguishes these values from others in Redis. */
  name: string
  ttlSeconds: number
  /** Returns the value, or undefined if it is not of this type: servers of another version may have another one. */
  check: (value: unknown) => Value | undefined
}

/**
 * Values of a cache that all servers share, each for the lifetime of the cache. One server reads a value, and the others wait for it.
 * Without Redis, each server reads for itself.
 */
export class SharedValues<Value extends object> {
  readonly #redis: RedisConnection
  readonly #generationKey: string
  readonly #ttlMs: number
  readonly #check: (value: unknown) => Value | undefined
  readonly #scripts: Record<'get' | 'store' | 'release', (...args: (string | number)[]) => Promise<unknown>>
  #invalidations = 0
  #sentInvalidations = 0

  constructor(redis: RedisConnection, { name, ttlSeconds, check }: SharedValuesOptions<Value>) {
    this.#redis = redis
    this.#generationKey = `pointwise:cache:${name}`
    this.#ttlMs = ttlSeconds * 1_000
    this.#check = check
    const script = (lua: string) => redis.script({ lua, numberOfKeys: 1 })
    this.#scripts = { get: script(GET), store: script(STORE), release: script(RELEASE) }
  }

  /**
   * Returns the value that a server has read, or reads it.
   *
   * @throws the error of reading the value
   */
  async get(key: string, read: () => Promise<Value>): Promise<Aged<Value>> {
    const token = randomUUID()
    for (;;) {
      const reply = await this.#ask(key, token)
      if (reply === undefined) return new Aged(await read(), 0)
      if (reply[0] === 'read') return this.#readForAll(read, { key, token })
      if (reply[0] === 'wait') await delay(WAIT_MS)
      else {
        const [, text, remainingMs] = reply
        const value = this.#parse(text.slice(text.indexOf(' ') + 1))
        // The server that has stored it may be configured with another time to live.
        return value ? new Aged(value, Number.parseInt(text, 10) - remainingMs) : new Aged(await read(), 0)
      }
    }
  }

  /** Removes all values, also those that are being read. If Redis is unavailable, this server uses none until they are removed. */
  async invalidate(): Promise<void> {
    this.#invalidations++
    await this.#sendInvalidation()
  }

  /** Whether values are to be removed that Redis may still have. */
  get isInvalidationPending(): boolean {
    return this.#sentInvalidations < this.#invalidations
  }

  async #sendInvalidation(): Promise<void> {
    const through = this.#invalidations
    try {
      await this.#redis.run((client) => client.set(this.#generationKey, randomUUID()))
      this.#sentInvalidations = Math.max(this.#sentInvalidations, through)
    } catch {
      // Still pending. The connection has logged that Redis is unavailable.
    }
  }

  /** Returns undefined if this server is to read the value for itself. */
  async #ask(key: string, token: string): Promise<Reply | undefined> {
    if (this.isInvalidationPending) await this.#sendInvalidation()
    return this.#scripts.get(this.#generationKey, key, token, READER_MS).catch(() => undefined) as Promise<
      Reply | undefined
    >
  }

  async #readForAll(read: () => Promise<Value>, { key, token }: { key: string; token: string }): Promise<Aged<Value>> {
    const { store, release } = this.#scripts
    // The caller does not wait for Redis. A value that is not stored is read by the next server.
    const ignore = () => undefined
    try {
      const value = await read()
      store(this.#generationKey, key, token, superjson.stringify(value), this.#ttlMs).catch(ignore)
      return new Aged(value, 0)
    } catch (error) {
      release(this.#generationKey, key, token).catch(ignore)
      throw error
    }
  }

  #parse(text: string): Value | undefined {
    try {
      return this.#check(superjson.parse(text))
    } catch {
      return undefined
    }
  }
}
