import { setTimeout as delay } from 'node:timers/promises'
import type { DatabaseServer } from './database-url.ts'
import { errorCode } from './errors.ts'
import { type DriverOptions, type Owner, PooledConnection, withoutPool } from './pooled-connection.ts'
import type { SessionLimits } from './session.ts'

const RETRY_MS = 1_000
const RETRY_MS_MAX = 10_000
const KILL_TIMEOUT_MS = 2_000
/** No session of this server holds the lock. */
const NO_SUCH_THREAD = 1094

/**
 * Ends the sessions of connections to one server that were given up. The server does not notice that the caller of a statement
 * no longer waits: it executes the statement to its end, and keeps the locks of the transaction until then or longer.
 *
 * A session is found by the user-level lock that only it holds. Its thread id would not identify it: after a restart or
 * a failover, another session may have the same id. A user needs no privilege to end sessions of its own.
 */
export class SessionKiller {
  readonly #options: DriverOptions
  readonly #server: DatabaseServer
  readonly #owner: Owner
  readonly #retryForMs: number
  /** The locks of the sessions to end, and until when to try. */
  readonly #deadlines = new Map<string, number>()
  readonly #closing = new AbortController()
  #running: Promise<void> | undefined

  constructor(options: DriverOptions, server: DatabaseServer, limits: SessionLimits) {
    this.#options = options
    this.#server = server
    this.#owner = withoutPool({ ...limits, statementTimeoutMs: KILL_TIMEOUT_MS })
    // Then the server has ended the session itself.
    this.#retryForMs = limits.idleTimeoutSeconds * 1_000
  }

  /** Ends a session in the background, over a connection of its own. It never fails. */
  kill(sessionLock: string): void {
    this.#deadlines.set(sessionLock, performance.now() + this.#retryForMs)
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
  }

  /** Waits for the attempt under way, and makes no other. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    for (let retryMs = RETRY_MS; ; retryMs = Math.min(RETRY_MS_MAX, 2 * retryMs)) {
      await this.#attempt().catch(() => undefined)
      if (this.#deadlines.size === 0) return
      await delay(retryMs, undefined, { ref: false, signal: this.#closing.signal }).catch(() => undefined)
      if (this.#closing.signal.aborted) return
      for (const [lock, deadline] of this.#deadlines) {
        if (performance.now() > deadline) this.#deadlines.delete(lock)
      }
    }
  }

  async #attempt(): Promise<void> {
    const connection = await PooledConnection.open(this.#options, this.#server, this.#owner)
    try {
      for (const lock of this.#deadlines.keys()) {
        await killHolder(connection, lock)
        this.#deadlines.delete(lock)
      }
    } finally {
      connection.destroy()
    }
  }
}

function killHolder(connection: PooledConnection, lock: string): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.query('kill is_used_lock(?)', [lock], (error) => {
      if (!error || errorCode(error) === NO_SUCH_THREAD) resolve()
      else reject(error)
    })
  })
}
