import type { MysqlPool, MysqlPoolConnection } from 'kysely'
import { AccountAccess } from './account-access.ts'
import type { DatabaseServer } from './database-url.ts'
import { AcquireTimeoutError, ConnectError, isServerResponse, rejectsWrites } from './errors.ts'
import type { PoolLimits, PoolListener, ServerOptions } from './pool-options.ts'
import { type DriverOptions, type Owner, PooledConnection } from './pooled-connection.ts'
import { PrimaryFinder } from './primary-finder.ts'
import { ServerWatch } from './server-watch.ts'
import { SessionKiller } from './session-killer.ts'

/** How much longer than the pool the server keeps a session without statements, in seconds. */
const IDLE_GRACE_SECONDS = 30

const closedError = () => new ConnectError(new Error('The pool is closed.'))

/**
 * A pool of connections for Kysely.
 *
 * - The wait for a connection is bounded. Callers get connections in the order of their requests.
 * - A connection that was idle for some time is checked before it is lent. When one does not respond, every connection
 *   that was idle at that moment is replaced, because a firewall or a failover ends all of them at once.
 * - A connection that was lost, timed out, or is still inside a transaction is destroyed on release, so that its next
 *   user cannot commit the statements of an earlier one. The session of a lost one is ended on the server.
 * - While the server refuses the account, one attempt at a time finds out whether it still does; callers do not wait.
 *
 * Of several servers, the pool uses the primary, and follows it: see `PrimaryFinder`. When a server turns out to take no writes, its
 * connections are closed, those in use after their transaction. When it does not respond, all of them fail at once: see
 * `ServerWatch`.
 */
export class BoundedPool implements MysqlPool {
  readonly #options: DriverOptions & { database: string }
  readonly #limits: PoolLimits
  readonly #access: AccountAccess
  readonly #owner: Owner
  readonly #finder: PrimaryFinder
  readonly #watch: ServerWatch | undefined
  readonly #killers: ReadonlyMap<DatabaseServer, SessionKiller>
  /** Ordered by when they were released. The last one is lent first, so that those that are not needed grow old. */
  readonly #idle: PooledConnection[] = []
  readonly #checkedOut = new Set<PooledConnection>()
  /** First in, first out. */
  readonly #waiting = new Set<() => void>()
  /** Connections that are lent, being opened or being checked. */
  #slotsInUse = 0
  /** When a connection was last given up. Those that have not responded since are checked before they are lent. */
  #lostConnectionAt = Number.NEGATIVE_INFINITY
  #idleTimer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor({ servers, ...options }: ServerOptions, limits: PoolLimits, listener: PoolListener) {
    const { lockWaitSeconds, statementTimeoutMs, closeAfterIdleMs, acquireTimeoutMs } = limits
    const idleTimeoutSeconds = Math.ceil(closeAfterIdleMs / 1_000) + IDLE_GRACE_SECONDS
    // After this time the caller has failed with AcquireTimeoutError. A longer attempt would only occupy the pool.
    this.#options = { ...options, connectTimeout: acquireTimeoutMs }
    this.#limits = limits
    this.#access = new AccountAccess(() => this.#openPrimary(), listener)
    this.#owner = {
      limits: { lockWaitSeconds, statementTimeoutMs, idleTimeoutSeconds },
      onRelease: (connection) => this.#release(connection),
      onWriteRejected: ({ server }) => this.#leave(server, { isResponsive: true }),
      onClosed: (connection) => {
        if (!this.#removeIdle(connection)) return
        this.#lostConnectionAt = performance.now()
        this.#finder.forget(connection.server)
      },
    }
    const sessionLimits = this.#owner.limits
    this.#killers = new Map(servers.map((server) => [server, new SessionKiller(this.#options, server, sessionLimits)]))
    this.#finder = new PrimaryFinder({
      servers,
      connection: this.#options,
      limits: sessionLimits,
      onFound: (primary, isResponsive) => {
        for (const server of servers) {
          if (server !== primary) this.#leave(server, { isResponsive: isResponsive(server) })
        }
        listener.onPrimary?.(primary)
      },
      onNotFound: (error) => listener.onNoPrimary?.(error),
    })
    if (!this.#finder.hasChoice) return
    this.#watch = new ServerWatch({
      intervalMs: limits.watchIntervalMs,
      connections: () => [...this.#idle, ...this.#checkedOut],
      finder: this.#finder,
      onLeave: (server, options) => this.#leave(server, options),
    })
  }

  /** Why the server refuses the account of this pool; undefined while it does not. */
  get accessError(): ConnectError | undefined {
    return this.#access.error
  }

  getConnection(callback: (error: unknown, connection: MysqlPoolConnection) => void): void {
    let isWaiting = true
    const settle = (error: unknown, connection?: PooledConnection) => {
      isWaiting = false
      clearTimeout(timer)
      // PooledConnection lacks the methods for streaming and query cancellation, which this package does not use.
      callback(error, connection as unknown as MysqlPoolConnection)
    }
    const timer = setTimeout(() => {
      this.#waiting.delete(acquire)
      settle(new AcquireTimeoutError(this.#limits.acquireTimeoutMs))
    }, this.#limits.acquireTimeoutMs)
    const acquire = () => {
      this.#slotsInUse++
      this.#obtain().then(
        (connection) => {
          this.#checkedOut.add(connection.checkOut())
          if (isWaiting && !this.#isClosed) return settle(undefined, connection)
          connection.release()
          if (isWaiting) settle(closedError())
        },
        (error) => {
          this.#freeSlot()
          if (isWaiting) settle(error)
        },
      )
    }
    if (this.#slotsInUse < this.#limits.connections) acquire()
    else this.#waiting.add(acquire)
  }

  /**
   * Closes every connection, those in use after the statement under way. A statement that times out meanwhile does not keep the
   * pool open, and its session is ended on the server. Callers that wait are rejected.
   */
  end(callback: (error: unknown) => void): void {
    this.#isClosed = true
    clearTimeout(this.#idleTimer)
    this.#access.close()
    this.#watch?.close()
    this.#finder.close()
    const connections = [...this.#idle.splice(0), ...this.#checkedOut]
    for (const acquire of this.#waiting) acquire()
    this.#waiting.clear()
    const closed = connections.map(async (connection) => {
      await connection.end()
      if (connection.isLost) this.#giveUp(connection)
    })
    void Promise.all(closed)
      .then(() => Promise.all([...this.#killers.values()].map((killer) => killer.close())))
      .then(() => callback(undefined))
  }

  /** An idle connection, or else a new one. */
  async #obtain(): Promise<PooledConnection> {
    if (this.#isClosed) throw closedError()
    for (let idle = this.#idle.pop(); idle; idle = this.#idle.pop()) {
      if (!this.#needsCheck(idle) || (await idle.respondsWithin(this.#limits.checkTimeoutMs))) return idle
      for (const lost of [idle, ...this.#idle.splice(0)]) this.#giveUp(lost)
    }
    return this.#open()
  }

  #needsCheck({ respondedAt }: PooledConnection): boolean {
    return respondedAt <= this.#lostConnectionAt || performance.now() - respondedAt > this.#limits.checkAfterIdleMs
  }

  async #open(): Promise<PooledConnection> {
    if (this.#access.error) throw this.#access.error
    try {
      return await this.#openPrimary()
    } catch (cause) {
      const error = new ConnectError(cause)
      this.#access.recordFailure(error)
      throw error
    }
  }

  /** Opens a connection to the primary. When the server is not the primary any more, it searches again. */
  async #openPrimary(): Promise<PooledConnection> {
    const startedAt = performance.now()
    for (;;) {
      const server = await this.#finder.find()
      const opened = await this.#openOn(server).catch((error: Error) => error)
      if (!(opened instanceof Error)) return opened
      // A server that refuses a connection is still the primary.
      if (isServerResponse(opened) && !rejectsWrites(opened)) throw opened
      this.#finder.forget(server)
      const hasTime = performance.now() - startedAt < this.#limits.acquireTimeoutMs
      if (!this.#finder.hasChoice || !hasTime || this.#isClosed) throw opened
    }
  }

  async #openOn(server: DatabaseServer): Promise<PooledConnection> {
    const connection = await PooledConnection.open(this.#options, server, this.#owner)
    if (!this.#finder.hasChoice) return connection
    try {
      await connection.requireWritable(this.#options.database)
      return connection
    } catch (error) {
      connection.destroy()
      throw error
    }
  }

  /** Stops using a server that is not the primary. A single server is used nevertheless. */
  #leave(server: DatabaseServer, { isResponsive }: { isResponsive: boolean }): void {
    if (!this.#finder.hasChoice) return
    this.#finder.forget(server)
    for (const connection of this.#idle.filter((idle) => idle.server === server)) {
      this.#removeIdle(connection)
      if (isResponsive) void connection.end()
      else connection.destroy()
    }
    for (const connection of this.#checkedOut) {
      if (connection.server !== server) continue
      if (isResponsive) connection.retire()
      else connection.abort()
    }
  }

  #release(connection: PooledConnection): void {
    this.#checkedOut.delete(connection)
    if (this.#isClosed) connection.destroy()
    else if (connection.isLost) this.#giveUp(connection)
    else if (connection.isReusable) {
      this.#idle.push(connection)
      if (!this.#idleTimer) this.#closeExpired()
    } else this.#close(connection, () => connection.destroy())
    this.#freeSlot()
  }

  /** Closes a connection that is not needed any more. */
  #close(connection: PooledConnection, close: () => unknown): void {
    close()
    // Without a connection to it, the server is not checked, and another one may become the primary.
    if (this.#idle.length + this.#checkedOut.size === 0) this.#finder.forget(connection.server)
  }

  #giveUp(connection: PooledConnection): void {
    this.#lostConnectionAt = performance.now()
    connection.destroy()
    this.#finder.forget(connection.server)
    if (connection.sessionLock) this.#killers.get(connection.server)?.kill(connection.sessionLock)
  }

  /** Removes a connection from those that are idle. Returns whether it was one of them. */
  #removeIdle(connection: PooledConnection): boolean {
    const index = this.#idle.indexOf(connection)
    if (index >= 0) this.#idle.splice(index, 1)
    return index >= 0
  }

  #closeExpired(): void {
    const closesAt = ({ respondedAt }: PooledConnection) => respondedAt + this.#limits.closeAfterIdleMs
    const now = performance.now()
    for (const connection of this.#idle.filter((idle) => closesAt(idle) <= now)) {
      this.#removeIdle(connection)
      this.#close(connection, () => connection.end())
    }
    const nextAt = Math.min(...this.#idle.map(closesAt))
    this.#idleTimer = Number.isFinite(nextAt)
      ? setTimeout(() => this.#closeExpired(), Math.ceil(nextAt - now)).unref()
      : undefined
  }

  #freeSlot(): void {
    this.#slotsInUse--
    const [next] = this.#waiting
    if (!next) return
    this.#waiting.delete(next)
    next()
  }
}
