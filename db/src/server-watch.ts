import type { DatabaseServer } from './database-url.ts'
import { isServerResponse, rejectsWrites } from './errors.ts'
import type { PooledConnection } from './pooled-connection.ts'
import type { Answer, PrimaryFinder } from './primary-finder.ts'

export interface ServerWatchOptions {
  intervalMs: number
  /** Every open connection of the pool. */
  connections: () => readonly PooledConnection[]
  finder: Pick<PrimaryFinder, 'check' | 'isSuperseded'>
  /** Called when a server does not respond, or is not the primary any more. */
  onLeave: (server: DatabaseServer, options: { isResponsive: boolean }) => void
}

/**
 * Checks at intervals whether the servers of open connections respond and take writes. A statement may be slow, so a server is
 * judged by a new connection: however many statements wait, it is checked once. And a new connection may be slow, so a server
 * also counts as responsive when it has responded to a statement meanwhile. Then the other servers are asked, because a server that
 * was replaced while it hung may still take writes.
 */
export class ServerWatch {
  readonly #options: ServerWatchOptions
  readonly #timer: NodeJS.Timeout
  readonly #checking = new Set<DatabaseServer>()

  constructor(options: ServerWatchOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#checkAll(), options.intervalMs).unref()
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
    const { finder, onLeave } = this.#options
    const startedAt = performance.now()
    const answer = await finder.check(server)
    const isResponsive = isResponse(answer) || this.#hasRespondedSince(startedAt, server)
    const isHung = !isResponsive && !isOwnFailure(answer)
    if (isHung || rejectsWrites(answer) || (await finder.isSuperseded(server))) onLeave(server, { isResponsive })
  }

  #hasRespondedSince(time: number, server: DatabaseServer): boolean {
    return this.#options
      .connections()
      .some((connection) => connection.server === server && connection.respondedAt > time)
  }
}

const isResponse = (answer: Answer | undefined) =>
  answer !== undefined && (!(answer instanceof Error) || isServerResponse(answer))

/** Failures of this machine, which prove nothing about the server: its name was not resolved, or no file descriptor is free. */
const OWN_FAILURES = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EMFILE', 'ENFILE'])

const isOwnFailure = (answer: Answer | undefined) =>
  answer instanceof Error && OWN_FAILURES.has((answer as NodeJS.ErrnoException).code ?? '')
