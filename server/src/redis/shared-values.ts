import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import superjson from 'superjson'
import { Aged } from '../cache.ts'
import { runApart, runUncounted } from './call-wait.ts'
import type { RedisConnection } from './redis-connection.ts'

/** How long one server may read a value. Afterwards, the next one reads it. */
const READER_MS = 2_000
/** How long a server waits for the value that another one reads, if not even the time of the reader ends. */
const WAIT_MS_MAX = READER_MS + 500
/** How often it looks for the value. */
const WAIT_MS = 10
/** How long a generation lasts. A new one costs one read of each value. */
const GENERATION_MS = 86_400_000

/**
 * The keys of a value and of its reader contain the generation, so that a new generation invalidates all values of the name at once.
 * A generation that Redis has evicted is followed by another one.
 * Keys: the generation; first arguments: the key of the value, token.
 */
const KEYS = `
local generation = redis.call('get', KEYS[1])
if not generation then
  generation = ARGV[2]
  redis.call('set', KEYS[1], generation, 'px', ${GENERATION_MS})
end
local value = KEYS[1] .. ':' .. generation .. ':' .. ARGV[1]
local reader = value .. ':reader'`

/**
 * Returns the value, or makes this server its reader. A value that does not begin with its time to live, or that lasts longer, was
 * not stored by this version. Further argument: time for reading.
 */
const GET = `${KEYS}
local found = redis.call('get', value)
local ttl = found and tonumber(string.match(found, '^(%d+) '))
local remaining = redis.call('pttl', value)
if ttl and remaining >= 0 and remaining <= ttl then
  return {'value', string.sub(found, string.find(found, ' ', 1, true) + 1), ttl - remaining}
end
if redis.call('set', reader, ARGV[2], 'nx', 'px', ARGV[3]) then return {'read'} end
return {'wait'}`

/**
 * Stores a value with its time to live, unless it was invalidated while it was read: then its reader belongs to an older
 * generation. Further arguments: value, time to live.
 */
const STORE = `${KEYS}
if redis.call('get', reader) ~= ARGV[2] then return end
redis.call('set', value, ARGV[4] .. ' ' .. ARGV[3], 'px', ARGV[4])
redis.call('del', reader)`

/** Lets another server read the value. */
const RELEASE = `${KEYS}
if redis.call('get', reader) == ARGV[2] then redis.call('del', reader) end`

type Reply = ['value', text: string, ageMs: number] | ['read'] | ['wait']

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
    const waitsUntil = performance.now() + WAIT_MS_MAX
    let reply = await this.#ask(key, token)
    while (reply?.[0] === 'wait' && performance.now() < waitsUntil) {
      await delay(WAIT_MS)
      // Without Redis, the call would wait until it has read the value itself.
      reply = await runUncounted(() => this.#ask(key, token))
    }
    if (reply?.[0] === 'read') return this.#readForAll(read, { key, token })
    const value = reply?.[0] === 'value' ? this.#parse(reply[1], reply[2]) : undefined
    return value ?? new Aged(await read(), 0)
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
      await this.#redis.run((client) => client.set(this.#generationKey, randomUUID(), 'PX', GENERATION_MS))
      this.#sentInvalidations = Math.max(this.#sentInvalidations, through)
    } catch {
      // Still pending. The connection has logged that Redis is unavailable.
    }
  }

  /** Returns undefined if this server is to read the value for itself. */
  async #ask(key: string, token: string): Promise<Reply | undefined> {
    // Both are sent at once, and executed in this order.
    const invalidation = this.isInvalidationPending ? this.#sendInvalidation() : undefined
    const reply = await this.#scripts.get(this.#generationKey, key, token, READER_MS).catch(() => undefined)
    await invalidation
    return this.isInvalidationPending ? undefined : (reply as Reply | undefined)
  }

  async #readForAll(read: () => Promise<Value>, { key, token }: { key: string; token: string }): Promise<Aged<Value>> {
    const { store, release } = this.#scripts
    // The caller does not wait for Redis. A value that is not stored is read by the next server.
    const ignore = () => undefined
    try {
      const value = await read()
      const text = superjson.stringify(value)
      runApart(() => void store(this.#generationKey, key, token, text, this.#ttlMs).catch(ignore))
      return new Aged(value, 0)
    } catch (error) {
      runApart(() => void release(this.#generationKey, key, token).catch(ignore))
      throw error
    }
  }

  #parse(text: string, ageMs: number): Aged<Value> | undefined {
    try {
      const value = this.#check(superjson.parse(text))
      return value && new Aged(value, ageMs)
    } catch {
      return undefined
    }
  }
}
