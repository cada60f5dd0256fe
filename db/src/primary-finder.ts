import { setTimeout as delay } from 'node:timers/promises'
import { type DatabaseServer, type DatabaseServers, formatServer } from './database-url.ts'
import { isAccessDenied, isServerResponse, ReadOnlyServerError } from './errors.ts'
import { type DriverOptions, PooledConnection, withoutPool } from './pooled-connection.ts'
import type { SessionLimits } from './session.ts'

/** How long a server that takes no writes is left alone before it is asked again. */
const ASK_AGAIN_MS = 100
/** The share of `connectTimeout` that a search may take, so that its callers learn why it failed before they time out. */
const SEARCH_SHARE = 0.8
/** How long the other servers may take to respond once one is found that takes writes. */
const OTHERS_WITHIN_MS = 300
/** How long another primary is searched for while only a former one takes writes. */
const FORMER_AFTER_MS = 1_000
/** How long a server has to respond to a check. After it, the server counts as hung. */
const RESPONDS_WITHIN_MS = 2_000

/** A server that takes writes. */
interface WritableServer {
  /** Whether every server of its cluster takes writes, so that the client selects the one that all clients write to. */
  isGalera: boolean
}

/** What a server that takes writes reported, or why it takes none. */
export type Answer = WritableServer | Error

/** No server of the database URL can be used as the primary. */
export class NoPrimaryError extends Error {
  override readonly name = 'NoPrimaryError'

  constructor(servers: DatabaseServers, answers: ReadonlyMap<DatabaseServer, Answer>) {
    const findings = servers.map((server) => `${formatServer(server)}: ${describe(answers.get(server))}`).join('; ')
    const isAmbiguous = [...answers.values()].filter(isWritable).length > 1
    super(
      isAmbiguous
        ? `Several hosts of the database URL take writes (${findings}). Expected one. Run on every other host, and set in its option file: SET GLOBAL read_only = ON;`
        : `No host of the database URL takes writes (${findings}). Expected one that does. Promote a replica, or correct DATABASE_URL.`,
    )
  }
}

export interface PrimaryFinderOptions {
  servers: DatabaseServers
  /** How to connect to each server, and the database that is written to. A search takes most of `connectTimeout`. */
  connection: DriverOptions & { database: string }
  limits: SessionLimits
  /**
   * Called when another server than before is found to be the primary, or one after `onNotFound`.
   *
   * @param isResponsive whether a server has responded during the search
   */
  onFound?: (primary: DatabaseServer, isResponsive: (server: DatabaseServer) => boolean) => void
  /** Called when a search finds no primary: once, until `onFound`. */
  onNotFound?: (error: NoPrimaryError) => void
}

/**
 * Knows which of several servers is the primary: the one that takes writes. Callers that ask while it is unknown share one search,
 * in which each server is asked until one takes writes. A single server is the primary without a search.
 *
 * Of several servers that take writes, the first of a Galera cluster is the primary. Elsewhere none is, because their data may
 * differ. A former primary does not count, unless it was seen to be read-only: it may return with the data of before. It is used again
 * if no other server takes writes for a second.
 */
export class PrimaryFinder {
  readonly #servers: DatabaseServers
  readonly #options: PrimaryFinderOptions
  readonly #closing = new AbortController()
  #primary: DatabaseServer | undefined
  #lastPrimary: DatabaseServer | undefined
  #search: Promise<DatabaseServer> | undefined
  readonly #former = new Set<DatabaseServer>()
  #isNotFoundReported = false

  constructor(options: PrimaryFinderOptions) {
    this.#servers = options.servers
    this.#options = options
    if (!this.hasChoice) this.#primary = options.servers[0]
  }

  /** Whether there is more than one server. */
  get hasChoice(): boolean {
    return this.#servers.length > 1
  }

  /**
   * Returns the primary.
   *
   * @throws NoPrimaryError when none is found within `connectTimeout`, or the driver's error when every server refuses the account.
   */
  find(): Promise<DatabaseServer> {
    if (this.#primary) return Promise.resolve(this.#primary)
    this.#search ??= this.#searchOnce().finally(() => {
      this.#search = undefined
    })
    return this.#search
  }

  /** Makes the next call search again if this server was the primary. Without other servers it remains the primary. */
  forget(server: DatabaseServer): void {
    if (this.hasChoice && this.#primary === server) this.#primary = undefined
  }

  /** Asks a server whether it takes writes, over a connection of its own. Ends within twice `connectTimeout`. */
  async ask(server: DatabaseServer): Promise<Answer> {
    const { database, ...connection } = this.#options.connection
    try {
      const owner = withoutPool(this.#options.limits)
      // The database may not exist yet.
      const asked = await PooledConnection.open(connection, server, owner, this.#closing.signal)
      try {
        await asked.requireWritable(database)
        return { isGalera: asked.isGalera }
      } finally {
        asked.destroy()
      }
    } catch (error) {
      if (error instanceof ReadOnlyServerError) this.#former.delete(server)
      return error as Error
    }
  }

  /** Like `ask`, but returns undefined if the server does not respond within two seconds. */
  check(server: DatabaseServer): Promise<Answer | undefined> {
    const { promise: timeout, resolve } = Promise.withResolvers<undefined>()
    // A response that arrived while this process was busy is read before the timeout counts.
    const timer = setTimeout(() => setImmediate(resolve, undefined), RESPONDS_WITHIN_MS)
    return Promise.race([this.ask(server), timeout]).finally(() => clearTimeout(timer))
  }

  /**
   * Whether a server that was found to be the primary must not be used as such any longer, because another one takes writes: on Galera
   * one before it, so that the servers of one shop agree after the first one has returned; elsewhere one that is not a former primary.
   */
  async isSuperseded(server: DatabaseServer): Promise<boolean> {
    const others = this.#servers.filter((other) => other !== server)
    const isBefore = (other: DatabaseServer) => this.#servers.indexOf(other) < this.#servers.indexOf(server)
    const answers = await Promise.all(others.map(async (other) => ({ other, answer: await this.check(other) })))
    return answers.some(
      ({ other, answer }) => isWritable(answer) && (answer.isGalera ? isBefore(other) : !this.#former.has(other)),
    )
  }

  /** Ends a search under way, and closes its connections. */
  close(): void {
    this.#closing.abort()
  }

  async #searchOnce(): Promise<DatabaseServer> {
    const timeoutMs = SEARCH_SHARE * this.#options.connection.connectTimeout
    const search = new Search({
      servers: this.#servers,
      ask: (server) => this.ask(server),
      isFormer: (server) => this.#former.has(server),
      timeoutMs,
    })
    const { signal } = this.#closing
    const stop = () => search.stop()
    signal.addEventListener('abort', stop)
    if (signal.aborted) stop()
    try {
      const primary = await search.result
      this.#set(primary, search)
      return primary
    } catch (error) {
      if (error instanceof NoPrimaryError && !this.#isNotFoundReported && !signal.aborted) {
        this.#isNotFoundReported = true
        this.#options.onNotFound?.(error)
      }
      throw error
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  #set(primary: DatabaseServer, search: Search): void {
    const last = this.#lastPrimary
    this.#primary = primary
    this.#lastPrimary = primary
    if (primary === last && !this.#isNotFoundReported) return
    this.#isNotFoundReported = false
    this.#former.delete(primary)
    if (last && last !== primary && !search.isReplica(last)) this.#former.add(last)
    this.#options.onFound?.(primary, (server) => search.hasResponded(server))
  }
}

interface SearchOptions {
  servers: DatabaseServers
  ask: PrimaryFinder['ask']
  isFormer: (server: DatabaseServer) => boolean
  timeoutMs: number
}

class Search {
  readonly result: Promise<DatabaseServer>
  readonly #options: SearchOptions
  readonly #answers = new Map<DatabaseServer, Answer>()
  readonly #ended = new AbortController()
  readonly #found = Promise.withResolvers<DatabaseServer>()
  #writableSince: number | undefined

  constructor(options: SearchOptions) {
    this.#options = options
    const timer = setTimeout(() => this.stop(), options.timeoutMs)
    this.result = this.#found.promise.finally(() => {
      clearTimeout(timer)
      this.#ended.abort()
    })
    for (const server of options.servers) void this.#askRepeatedly(server)
  }

  /** Whether the server has responded, if only to refuse the connection or to reject a write. */
  hasResponded(server: DatabaseServer): boolean {
    const answer = this.#answers.get(server)
    return isWritable(answer) || isServerResponse(answer)
  }

  isReplica(server: DatabaseServer): boolean {
    return this.#answers.get(server) instanceof ReadOnlyServerError
  }

  /** Ends the search without a result. */
  stop(): void {
    const { servers } = this.#options
    const errors = servers.map((server) => this.#answers.get(server))
    // The account is refused, wherever the primary is.
    const refusal = errors.every(isAccessDenied) ? errors[0] : undefined
    this.#found.reject(refusal ?? new NoPrimaryError(servers, this.#answers))
  }

  async #askRepeatedly(server: DatabaseServer): Promise<void> {
    const { signal } = this.#ended
    while (!signal.aborted) {
      this.#answers.set(server, await this.#options.ask(server))
      this.#decide()
      await delay(ASK_AGAIN_MS, undefined, { signal }).catch(() => undefined)
    }
  }

  /** Decides from the latest answer of each server. A server that takes writes answers again and again until then. */
  #decide(): void {
    const { servers, isFormer } = this.#options
    if (servers.every((server) => isAccessDenied(this.#answers.get(server)))) this.stop()
    const writable = servers.filter((server) => isWritable(this.#answers.get(server)))
    if (writable.length === 0) return
    this.#writableSince ??= performance.now()
    const waitedMs = performance.now() - this.#writableSince
    if (this.#answers.size < servers.length && waitedMs < OTHERS_WITHIN_MS) return
    const isGalera = writable.every((server) => (this.#answers.get(server) as WritableServer).isGalera)
    const current = writable.filter((server) => !isFormer(server))
    const mayBeFormer = current.length === 0 && waitedMs >= FORMER_AFTER_MS
    const candidates = isGalera || mayBeFormer ? writable : current
    const [first] = candidates
    if (first && (isGalera || candidates.length === 1)) this.#found.resolve(first)
  }
}

const isWritable = (answer: Answer | undefined): answer is WritableServer =>
  answer !== undefined && !(answer instanceof Error)

function describe(answer: Answer | undefined): string {
  if (answer === undefined) return 'no response yet'
  return isWritable(answer) ? 'takes writes' : answer.message || answer.name
}
