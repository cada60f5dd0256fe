import { setTimeout as delay } from 'node:timers/promises'
import { type DatabaseServer, type DatabaseServers, formatServer } from './database-url.ts'
import { isAccessDenied, isServerResponse } from './errors.ts'
import { type DriverOptions, PooledConnection, withoutPool } from './pooled-connection.ts'
import type { SessionLimits } from './session.ts'
import type { WritableServer } from './write-check.ts'

/** How long a server that takes no writes is left alone before it is asked again. */
const ASK_AGAIN_MS = 100
/** The share of `connectTimeout` that a search may take, so that its callers learn why it failed before they time out. */
const SEARCH_SHARE = 0.8
/** How long the other servers may take to respond once one is found that takes writes. */
const OTHERS_WITHIN_MS = 300

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
   * Called when another server than before is found to be the primary.
   *
   * @param isResponsive whether a server has responded during the search
   */
  onMoved?: (primary: DatabaseServer, isResponsive: (server: DatabaseServer) => boolean) => void
}

/**
 * Knows which of several servers is the primary: the one that takes writes. Callers that ask while it is unknown share one search,
 * in which each server is asked until one takes writes. Of several servers that do, the first of a Galera cluster is the primary;
 * elsewhere none is, because their data may differ. A single server is the primary without a search.
 */
export class PrimaryFinder {
  readonly #servers: DatabaseServers
  readonly #options: PrimaryFinderOptions
  readonly #closing = new AbortController()
  #primary: DatabaseServer | undefined
  #lastPrimary: DatabaseServer | undefined
  #search: Promise<DatabaseServer> | undefined

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
      // The database may not exist yet.
      const asked = await PooledConnection.open(connection, server, withoutPool(this.#options.limits))
      try {
        return await asked.requireWritable(database)
      } finally {
        asked.destroy()
      }
    } catch (error) {
      return error as Error
    }
  }

  /**
   * Whether a server that takes writes is not the primary, because one before it does too. Only a Galera cluster has several. The
   * servers of one shop agree on the primary in this way after the first one has returned.
   */
  async isSuperseded(server: DatabaseServer): Promise<boolean> {
    const preferred = this.#servers.slice(0, this.#servers.indexOf(server))
    const answers = await Promise.all(preferred.map((each) => this.ask(each)))
    return answers.some((answer) => isWritable(answer) && answer.isGalera)
  }

  /** Ends a search under way. */
  close(): void {
    this.#closing.abort()
  }

  async #searchOnce(): Promise<DatabaseServer> {
    const timeoutMs = SEARCH_SHARE * this.#options.connection.connectTimeout
    const search = new Search(this.#servers, (server) => this.ask(server), timeoutMs)
    const stop = () => search.stop()
    this.#closing.signal.addEventListener('abort', stop)
    try {
      const primary = await search.result
      this.#primary = primary
      const hasMoved = primary !== this.#lastPrimary
      this.#lastPrimary = primary
      if (hasMoved) this.#options.onMoved?.(primary, (server) => search.hasResponded(server))
      return primary
    } finally {
      this.#closing.signal.removeEventListener('abort', stop)
    }
  }
}

class Search {
  readonly result: Promise<DatabaseServer>
  readonly #servers: DatabaseServers
  readonly #ask: PrimaryFinder['ask']
  readonly #answers = new Map<DatabaseServer, Answer>()
  readonly #ended = new AbortController()
  readonly #found = Promise.withResolvers<DatabaseServer>()
  #othersTimer: NodeJS.Timeout | undefined
  #mustOthersRespond = true

  constructor(servers: DatabaseServers, ask: PrimaryFinder['ask'], timeoutMs: number) {
    this.#servers = servers
    this.#ask = ask
    const timer = setTimeout(() => this.stop(), timeoutMs)
    this.result = this.#found.promise.finally(() => {
      clearTimeout(timer)
      clearTimeout(this.#othersTimer)
      this.#ended.abort()
    })
    for (const server of servers) void this.#askRepeatedly(server)
  }

  /** Whether the server has responded, if only to refuse the connection or to reject a write. */
  hasResponded(server: DatabaseServer): boolean {
    const answer = this.#answers.get(server)
    return isWritable(answer) || isServerResponse(answer)
  }

  /** Ends the search without a result. */
  stop(): void {
    const errors = this.#servers.map((server) => this.#answers.get(server))
    // The account is refused, wherever the primary is.
    const refusal = errors.every(isAccessDenied) ? errors[0] : undefined
    this.#found.reject(refusal ?? new NoPrimaryError(this.#servers, this.#answers))
  }

  async #askRepeatedly(server: DatabaseServer): Promise<void> {
    const { signal } = this.#ended
    while (!signal.aborted) {
      this.#answers.set(server, await this.#ask(server))
      this.#decide()
      await delay(ASK_AGAIN_MS, undefined, { signal }).catch(() => undefined)
    }
  }

  #decide(): void {
    const writable = this.#servers.filter((server) => isWritable(this.#answers.get(server)))
    const [first] = writable
    if (!first) return
    if (this.#mustOthersRespond && this.#answers.size < this.#servers.length) {
      this.#othersTimer ??= setTimeout(() => {
        this.#mustOthersRespond = false
        this.#decide()
      }, OTHERS_WITHIN_MS)
      return
    }
    const isGalera = writable.every((server) => (this.#answers.get(server) as WritableServer).isGalera)
    if (writable.length === 1 || isGalera) this.#found.resolve(first)
  }
}

const isWritable = (answer: Answer | undefined): answer is WritableServer =>
  answer !== undefined && !(answer instanceof Error)

function describe(answer: Answer | undefined): string {
  if (answer === undefined) return 'no response yet'
  return isWritable(answer) ? 'takes writes' : answer.message || answer.name
}
