import type { MysqlPool, MysqlPoolConnection } from 'kysely'
import type { Pool, PoolConnection, QueryError, QueryResult, QueryValues, ResultSetHeader } from 'mysql2'
import { AcquireTimeoutError, isConnectionLost, isReadOnly } from './errors.ts'

/** What every session is told before its first use. READ COMMITTED: see docs/decisions/0002-read-committed.md. */
const SESSION = [
  'set session transaction isolation level read committed',
  `set session time_zone = '+00:00', innodb_lock_wait_timeout = ?, sql_mode = '${[
    'ONLY_FULL_GROUP_BY',
    'STRICT_TRANS_TABLES',
    'NO_ZERO_IN_DATE',
    'NO_ZERO_DATE',
    'ERROR_FOR_DIVISION_BY_ZERO',
    'NO_ENGINE_SUBSTITUTION',
  ].join(',')}'`,
] as const

const SERVER_STATUS_IN_TRANS = 1

export interface PoolLimits {
  /** How many connections at most. */
  connections: number
  /** How long a caller waits for a free connection before NoConnectionFree. */
  acquireTimeoutMs: number
  /** How long a statement may take before its connection is given up. */
  statementTimeoutMs: number
  /** InnoDB's wait for a row lock, before errno 1205. */
  lockWaitSeconds: number
}

/** What the driver is told of a statement that had not to be sent. */
const NOTHING_DONE = { affectedRows: 0, insertId: 0, changedRows: 0, warningStatus: 0 } as ResultSetHeader
const ENDS_TRANSACTION = new Set(['commit', 'rollback'])

/** The results of what was sent after BEGIN, as the driver would have given them. */
function withoutFirst([, ...results]: QueryResult[]): QueryResult {
  return (results.length === 1 ? results[0] : results) as QueryResult
}

type Callback = (error: unknown, result?: QueryResult) => void

const connectionGone = () => Object.assign(new Error('The connection was given up.'), { fatal: true })

/** One connection of the driver's pool, which remembers whether the next borrower may trust it. */
class PooledConnection {
  readonly #raw: PoolConnection
  readonly #limits: PoolLimits
  readonly #onRelease: () => void
  #isLent = false
  #prepared = false
  #lost = false
  #begins = false
  #inTransaction = false

  constructor(raw: PoolConnection, limits: PoolLimits, onRelease: () => void) {
    this.#raw = raw
    this.#limits = limits
    this.#onRelease = onRelease
  }

  checkOut(): this {
    this.#isLent = true
    return this
  }

  /** BEGIN is not sent alone: it goes before the transaction's first statement, and saves every transaction a round trip. */
  query(sql: string, values: QueryValues, callback: Callback): void {
    // Behind a statement that was given up, another, such as the ROLLBACK, would wait for ever.
    if (this.#lost) {
      callback(connectionGone())
      return
    }
    const isFirst = this.#begins
    this.#begins = sql === 'begin'
    if (this.#begins || (isFirst && ENDS_TRANSACTION.has(sql))) {
      callback(undefined, NOTHING_DONE)
      return
    }
    if (isFirst) this.#inTransaction = true
    const timeout = this.#limits.statementTimeoutMs
    this.#raw.query(
      { sql: isFirst ? `begin;\n${sql}` : sql, values, timeout },
      (error: QueryError | null, result: QueryResult) => {
        if (isConnectionLost(error) || isReadOnly(error)) this.#lost = true
        if (result && 'serverStatus' in result) {
          this.#inTransaction = (result.serverStatus & SERVER_STATUS_IN_TRANS) !== 0
        }
        callback(error, isFirst && result ? withoutFirst(result as QueryResult[]) : result)
      },
    )
  }

  /** Tells the session what we expect of it, once in its life. */
  prepare(callback: (error?: unknown) => void): void {
    if (this.#prepared) {
      callback()
      return
    }
    const [isolation, settings] = SESSION
    this.query(isolation, [], (error) => {
      if (error) return callback(error)
      this.query(settings, [this.#limits.lockWaitSeconds], (error) => {
        if (error) return callback(error)
        this.#prepared = true
        callback()
      })
    })
  }

  release(): void {
    if (!this.#isLent) return
    this.#isLent = false
    this.#begins = false
    if (this.#lost || this.#inTransaction || !this.#prepared) this.#raw.destroy()
    else this.#raw.release()
    this.#onRelease()
  }
}

/**
 * The driver's pool with the two things it lacks: a bound on the wait for a connection, and a release that destroys a
 * connection which was lost, timed out, or is still inside a transaction, so that no borrower commits another's work.
 */
export class BoundedPool implements MysqlPool {
  readonly #pool: Pool
  readonly #limits: PoolLimits
  readonly #connections = new WeakMap<PoolConnection, PooledConnection>()
  /** First come, first served. In the driver's own queue, who gave up would stay. */
  readonly #waiting = new Set<() => void>()
  #lent = 0

  constructor(pool: Pool, limits: PoolLimits) {
    this.#pool = pool
    this.#limits = limits
  }

  getConnection(callback: (error: unknown, connection: MysqlPoolConnection) => void): void {
    let isWaiting = true
    const settle = (error: unknown, connection?: PooledConnection) => {
      isWaiting = false
      clearTimeout(timer)
      // The methods left out are those of streams and query cancellation, which we do not use.
      callback(error, connection as unknown as MysqlPoolConnection)
    }
    const timer = setTimeout(() => {
      this.#waiting.delete(borrow)
      settle(new AcquireTimeoutError(this.#limits.acquireTimeoutMs))
    }, this.#limits.acquireTimeoutMs)
    const borrow = () => {
      this.#lent++
      this.#pool.getConnection((error, raw) => {
        if (error) {
          this.#takeBack()
          return isWaiting ? settle(error) : undefined
        }
        const connection = this.#watch(raw).checkOut()
        if (!isWaiting) return connection.release()
        connection.prepare((error) => {
          if (!error && isWaiting) return settle(undefined, connection)
          connection.release()
          if (isWaiting) settle(error)
        })
      })
    }
    if (this.#lent < this.#limits.connections) borrow()
    else this.#waiting.add(borrow)
  }

  end(callback: (error: unknown) => void): void {
    // A connection that is lost while it is closed, or was never made, is closed all the same.
    this.#pool.end(() => callback(undefined))
    for (const borrow of this.#waiting) borrow()
    this.#waiting.clear()
  }

  #takeBack(): void {
    this.#lent--
    const [next] = this.#waiting
    if (!next) return
    this.#waiting.delete(next)
    next()
  }

  #watch(raw: PoolConnection): PooledConnection {
    const known = this.#connections.get(raw)
    if (known) return known
    const connection = new PooledConnection(raw, this.#limits, () => this.#takeBack())
    this.#connections.set(raw, connection)
    return connection
  }
}
