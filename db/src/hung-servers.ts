import type { DatabaseServer } from './database-url.ts'
import { isServerResponse } from './errors.ts'
import type { PooledConnection } from './pooled-connection.ts'
import type { Answer } from './primary-finder.ts'

/** A server from which a statement has had no response for this long is checked. */
const CHECK_AFTER_MS = 2_000
/** How long the server has to respond to the check. After it, the server counts as hung. */
const RESPONDS_WITHIN_MS = 2_000
const INTERVAL_MS = 500

export interface HungServersOptions {
  /** The connections that are lent. */
  connections: ReadonlySet<PooledConnection>
  /** Asks a server on a new connection, as `PrimaryFinder` does. */
  ask: (server: DatabaseServer) => Promise<Answer>
  /** Called when a server does not respond. */
  onHung: (server: DatabaseServer) => void
}

/**
 * Finds servers that do not respond: hung, or unreachable without an error. A statement may be slow, so a server is judged by a new
 * connection. However many statements wait, the server is checked once at a time.
 */
export class HungServers {
  readonly #options: HungServersOptions
  readonly #checks = new Map<DatabaseServer, number>()
  readonly #timer: NodeJS.Timeout

  constructor(options: HungServersOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#checkSlow(), INTERVAL_MS).unref()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #checkSlow(): void {
    const now = performance.now()
    for (const { server, waitingSince = now } of this.#options.connections) {
      if (now - waitingSince < CHECK_AFTER_MS) continue
      const checkedAt = this.#checks.get(server)
      if (checkedAt !== undefined && now - checkedAt < CHECK_AFTER_MS + RESPONDS_WITHIN_MS) continue
      this.#checks.set(server, now)
      void this.#check(server)
    }
  }

  async #check(server: DatabaseServer): Promise<void> {
    const { promise: timeout, resolve } = Promise.withResolvers<undefined>()
    // A response that arrived while this process was busy is read before the timeout counts.
    const timer = setTimeout(() => setImmediate(resolve, undefined), RESPONDS_WITHIN_MS)
    const answer = await Promise.race([this.#options.ask(server), timeout])
    clearTimeout(timer)
    if (answer === undefined || isUnreachable(answer)) this.#options.onHung(server)
  }
}

/** Failures of this machine, which prove nothing about the server: its name was not resolved, or no file descriptor is free. */
const OWN_FAILURES = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EMFILE', 'ENFILE'])

const isUnreachable = (answer: Answer) =>
  answer instanceof Error &&
  !isServerResponse(answer) &&
  !OWN_FAILURES.has((answer as NodeJS.ErrnoException).code ?? '')
