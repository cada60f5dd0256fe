import type { DatabaseServer } from './database-url.ts'
import { isServerResponse, rejectsWrites } from './errors.ts'
import type { PooledConnection } from './pooled-connection.ts'
import type { Answer } from './primary-finder.ts'

const INTERVAL_MS = 2_000
/** How long a server has to respond to a check. After it, the server counts as hung. */
const RESPONDS_WITHIN_MS = 2_000

export interface ServerWatchOptions {
  /** Every open connection of the pool. */
  connections: () => readonly PooledConnection[]
  /** Asks a server on a new connection, as `PrimaryFinder` does. */
  ask: (server: DatabaseServer) => Promise<Answer>
  /** Whether another server is to be preferred to this one, which takes writes. */
  isSuperseded: (server: DatabaseServer) => Promise<boolean>
  /** Called when a server does not respond, or is not the primary any more. */
  onLeave: (server: DatabaseServer, options: { isResponsive: boolean }) => void
}

/**
 * Checks every two seconds whether the servers of open connections respond and take writes. A statement may be slow, so a server is
 * judged by a new connection: however many statements wait, it is checked once. And a new connection may be slow, so a server
 * also counts as responsive when it has responded to a statement meanwhile.
 */
export class ServerWatch {
  readonly #options: ServerWatchOptions
  readonly #timer: NodeJS.Timeout
  readonly #checking = new Set<DatabaseServer>()

  constructor(options: ServerWatchOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#checkAll(), INTERVAL_MS).unref()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #checkAll(): void {
    for (const server of new Set(this.#options.connections().map((connection) => connection.server))) {
      if (this.#checking.has(server)) continue
      this.#checking.add(server)
      void this.#check(server).finally(() => this.#checking.delete(server))
    }
  }

  async #check(server: DatabaseServer): Promise<void> {
    const { ask, isSuperseded, onLeave } = this.#options
    const startedAt = performance.now()
    const answer = await withinResponseTime(ask(server))
    const isResponsive = (answer !== undefined && !isUnreachable(answer)) || this.#hasRespondedSince(startedAt, server)
    if (!isResponsive || rejectsWrites(answer)) onLeave(server, { isResponsive })
    else if (isTakingWrites(answer) && (await isSuperseded(server))) onLeave(server, { isResponsive })
  }

  #hasRespondedSince(time: number, server: DatabaseServer): boolean {
    return this.#options
      .connections()
      .some((connection) => connection.server === server && connection.respondedAt > time)
  }
}

function withinResponseTime<T>(promise: Promise<T>): Promise<T | undefined> {
  const { promise: timeout, resolve } = Promise.withResolvers<undefined>()
  // A response that arrived while this process was busy is read before the timeout counts.
  const timer = setTimeout(() => setImmediate(resolve, undefined), RESPONDS_WITHIN_MS)
  return Promise.race([promise, timeout]).finally(() => clearTimeout(timer))
}

const isTakingWrites = (answer: Answer | undefined) => answer !== undefined && !(answer instanceof Error)

/** Failures of this machine, which prove nothing about the server: its name was not resolved, or no file descriptor is free. */
const OWN_FAILURES = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EMFILE', 'ENFILE'])

const isUnreachable = (answer: Answer) =>
  answer instanceof Error &&
  !isServerResponse(answer) &&
  !OWN_FAILURES.has((answer as NodeJS.ErrnoException).code ?? '')
