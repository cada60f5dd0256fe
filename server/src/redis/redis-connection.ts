import { randomUUID } from 'node:crypto'
import { isIP } from 'node:net'
import { Redis } from 'ioredis'
import { currentWait, runApart } from './call-wait.ts'
import type { RedisAddress } from './redis-url.ts'

/**
 * How long all commands of a call may take together. The rest of the 200 ms that Redis may delay a call is for what another server
 * does when the call waits for a value that it reads.
 */
const CALL_MS = 120
/** A server is available again when it responds within this part of the limit: a call sends up to four commands one by one. */
const COMMANDS_PER_CALL = 4
const CONNECT_MS = 1_000
/** The time limit of the commands that a new connection begins with. */
const HANDSHAKE_MS = 200
/** How long a connection that is no longer used may take to close. */
const DISCONNECT_MS = 100
/** The interval at which an idle connection is checked. */
const PING_MS = 1_000
const RECONNECT_MS_MIN = 50
const RECONNECT_MS_MAX = 1_000
/** After this time of availability, the next attempt to reconnect is made at once again. */
const STABLE_MS = 10_000

/** Fails where the server does not accept what the scripts of this process do: on a replica, without memory, without a permission. */
const PROBE = `redis.call('set', KEYS[1], '1', 'px', '1000') redis.call('del', KEYS[1]) redis.call('publish', ARGV[1], '')`

/** Redis cannot be used at the moment. The caller continues without it. */
export class RedisUnavailableError extends Error {
  override readonly name = 'RedisUnavailableError'
}

export interface RedisLogger {
  info: (details: object, message: string) => void
  warn: (details: object, message: string) => void
}

export interface RedisConnectionOptions {
  address: RedisAddress
  logger: RedisLogger
  /** How long the commands of a call may take together, and a command that belongs to no call. Defaults to 120 ms. */
  callMs?: number
}

/** A script of which Redis executes the copy that it has, or receives the text. */
export interface RedisScript {
  lua: string
  numberOfKeys: number
}

/**
 * The connection to Valkey or Redis, with a circuit breaker. A command fails at once while Redis is unavailable. It becomes
 * unavailable when a command fails, when the commands of a call take too long, or when the connection is lost, and available again
 * when a new connection has executed what this process needs, fast enough. Each change of the state is logged once.
 */
export class RedisConnection {
  /** Distinguishes this process from the others that use Redis. */
  readonly processId: string = randomUUID()
  readonly #client: Redis
  readonly #log: RedisLogger
  readonly #address: { host: string; port: number }
  readonly #database: number
  readonly #callMs: number
  readonly #channels = new Map<string, (message: string) => void>()
  readonly #onAvailable: (() => void)[] = []
  readonly #pending = new Set<(error: Error) => void>()
  #state: 'starting' | 'available' | 'unavailable' | 'closed' = 'starting'
  #connections = 0
  #scripts = 0
  #outages = 0
  #attempts = 0
  #availableSince = 0
  #lastError: Error | undefined
  #pingTimer: NodeJS.Timeout | undefined

  constructor({ address, logger, callMs = CALL_MS }: RedisConnectionOptions) {
    const { host, port, username, password, database, isEncrypted } = address
    this.#log = logger
    this.#address = { host, port }
    this.#database = database
    this.#callMs = callMs
    this.#client = new Redis({
      host,
      port,
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      ...(isEncrypted && { tls: isIP(host) ? {} : { servername: host } }),
      lazyConnect: true,
      enableOfflineQueue: false,
      // A command whose connection was lost may have taken effect, so it is not sent again.
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      autoResubscribe: false,
      commandTimeout: Math.max(HANDSHAKE_MS, callMs),
      connectTimeout: CONNECT_MS,
      disconnectTimeout: DISCONNECT_MS,
      retryStrategy: () => {
        this.#becomeUnavailable(this.#lastError ?? new Error('the connection was closed'))
        return Math.min(RECONNECT_MS_MAX, RECONNECT_MS_MIN * 2 ** this.#attempts++)
      },
    })
  }

  get isAvailable(): boolean {
    return this.#state === 'available'
  }

  /** How often Redis became unavailable. */
  get outages(): number {
    return this.#outages
  }

  /**
   * Receives what other processes publish. Call it before `start`. Messages that are published while Redis is unavailable are
   * lost.
   */
  subscribe(channel: string, onMessage: (message: string) => void): void {
    this.#channels.set(this.#channelName(channel), onMessage)
  }

  /** Sends a message to the other processes. It does not fail: without Redis, the message is lost. */
  async publish(channel: string, message = ''): Promise<void> {
    const text = `${this.processId} ${message}`
    await this.run((client) => client.publish(this.#channelName(channel), text)).catch(() => undefined)
  }

  /** Calls the listener each time Redis becomes available. Messages may have been lost before. */
  onAvailable(listener: () => void): void {
    this.#onAvailable.push(listener)
  }

  /** Connects, and reconnects whenever the connection is lost, until `close` is called. */
  start(): void {
    const client = this.#client
    // The connection may be replaced while a call runs.
    client.on('ready', () => runApart(() => void this.#prepare(++this.#connections)))
    client.on('error', (error: Error) => {
      this.#lastError = error
    })
    client.on('message', (channel: string, text: string) => {
      const message = text.slice(this.processId.length + 1)
      if (!text.startsWith(this.processId)) this.#channels.get(channel)?.(message)
    })
    this.#pingTimer = setInterval(() => void this.#ping(), PING_MS).unref()
    // `retryStrategy` reports the failure.
    client.connect().catch(() => undefined)
  }

  close(): void {
    this.#state = 'closed'
    clearInterval(this.#pingTimer)
    this.#rejectPending(new RedisUnavailableError('the connection to Redis is closed'))
    this.#client.disconnect()
  }

  /**
   * Executes a command, if Redis is available.
   *
   * @throws RedisUnavailableError, or the error of Redis. In both cases the caller continues without Redis.
   */
  run<T>(command: (client: Redis) => Promise<T>): Promise<T> {
    if (this.#state !== 'available') return Promise.reject(new RedisUnavailableError('Redis is not available'))
    const wait = currentWait()
    const limitMs = Math.max(1, this.#callMs - wait.since(this.#outages))
    wait.begin()
    return this.#withinTimeLimit(command, limitMs).finally(() => wait.end())
  }

  /** Returns a function that executes a script with its keys and arguments: see `run`. */
  script({ lua, numberOfKeys }: RedisScript): (...args: (string | number)[]) => Promise<unknown> {
    const name = `pointwise${++this.#scripts}`
    this.#client.defineCommand(name, { lua, numberOfKeys })
    const commands = this.#client as unknown as Record<string, (...args: (string | number)[]) => Promise<unknown>>
    return (...args) => this.run(() => commands[name]?.(...args) ?? Promise.reject(new Error(`no script ${name}`)))
  }

  /** Unlike keys, channels do not belong to a database number, which distinguishes the shops on one Redis. */
  #channelName(channel: string): string {
    return `pointwise:${this.#database}:${channel}`
  }

  /** Begins to use a new connection, unless it is lost meanwhile. */
  async #prepare(connection: number): Promise<void> {
    const client = this.#client
    try {
      await client.select(this.#database)
      await client.eval(PROBE, 1, 'pointwise:probe', this.#channelName('probe'))
      if (this.#channels.size > 0) await client.subscribe(...this.#channels.keys())
      if (client.mode === 'subscriber') throw new Error('the server is older than Redis 6, which is required')
      await this.#withinTimeLimit(() => client.ping(), this.#callMs / COMMANDS_PER_CALL)
    } catch (error) {
      if (connection === this.#connections) this.#fail(error as Error)
      return
    }
    if (connection === this.#connections && client.status === 'ready') this.#becomeAvailable()
  }

  async #ping(): Promise<void> {
    if (this.isAvailable) await this.run((client) => client.ping()).catch(() => undefined)
  }

  async #withinTimeLimit<T>(command: (client: Redis) => Promise<T>, limitMs: number): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    this.#pending.add(reject)
    const timer = setTimeout(() => {
      // The reply may have arrived while this process was busy. It is read before the callback is called.
      setImmediate(() => {
        if (this.#pending.has(reject)) this.#fail(new Error(`no reply within ${Math.ceil(limitMs)} ms`))
      })
    }, limitMs)
    command(this.#client).then(resolve, (error) => {
      // Already rejected, if the command failed because of the state.
      if (this.#pending.has(reject)) this.#fail(error)
      reject(error)
    })
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      this.#pending.delete(reject)
    }
  }

  /** Stops using the connection, and opens another one. */
  #fail(error: Error): void {
    this.#becomeUnavailable(error)
    this.#client.disconnect(true)
  }

  #becomeAvailable(): void {
    if (this.#state === 'closed') return
    this.#state = 'available'
    this.#availableSince = performance.now()
    this.#lastError = undefined
    this.#log.info(this.#address, 'Redis is available: limits, caches and wake-ups are shared')
    for (const listener of this.#onAvailable) listener()
  }

  #becomeUnavailable(error: Error): void {
    if (this.#state === 'closed') return
    const before = this.#state
    this.#state = 'unavailable'
    this.#rejectPending(new RedisUnavailableError(`Redis became unavailable: ${reasonOf(error)}`))
    if (before === 'unavailable') return
    this.#outages++
    if (before === 'available' && performance.now() - this.#availableSince > STABLE_MS) this.#attempts = 0
    // The error itself contains the arguments of its command, such as the password.
    const details = { ...this.#address, reason: reasonOf(error) }
    this.#log.warn(details, 'Redis is not available: this server limits, caches and polls by itself')
  }

  #rejectPending(error: RedisUnavailableError): void {
    for (const reject of this.#pending) reject(error)
    this.#pending.clear()
  }
}

/** The message, or the code of an error whose causes have the messages. */
function reasonOf(error: Error & { code?: string }): string {
  return error.message || error.code || error.name
}
