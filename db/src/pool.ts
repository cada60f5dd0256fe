import type { MysqlPool, MysqlPoolConnection } from 'kysely'
import type { Pool, PoolConnection, QueryError, QueryResult, QueryValues, ResultSetHeader } from 'mysql2'
import { AcquireTimeoutError, isConnectionLost, isReadOnly } from './errors.ts'

/**
 * Session settings, sent once per connection before its first use. READ COMMITTED: see
 * docs/decisions/0002-read-committed.md.
 */
const SESSION_SETTINGS = [
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
  /** Maximum number of connections. */
  connections: number
  /** Maximum wait for a free connection, in milliseconds. After it, the caller gets an AcquireTimeoutError. */
  acquireTimeoutMs: number
  /**
   * Maximum duration of a statement, in milliseconds. After it, the statement fails and its connection is destroyed.
   */
  statementTimeoutMs: number
  /** Maximum wait for a row lock, in seconds. After it, the statement fails with errno 1205. */
  lockWaitSeconds: number
}

/** The result of a statement that was not sent because there was nothing to do. */
const EMPTY_RESULT = { affectedRows: 0, insertId: 0, changedRows: 0, warningStatus: 0 } as ResultSetHeader
const ENDS_TRANSACTION = new Set(['commit', 'rollback'])

/** The end of a SELECT that locks the rows it reads. */
const LOCKING_CLAUSE =
  /(?:for\s+(?:update|share)|lock\s+in\s+share\s+mode)(?:\s+(?:of\s[\w`$.,\s]+|skip\s+locked|nowait|wait\s+\d+))?[\s;]*$/i

/** Removes the result of BEGIN, so that the driver's caller sees only the results of its own statements. */
function withoutFirst([, ...results]: QueryResult[]): QueryResult {
  return (results.length === 1 ? results[0] : results) as QueryResult
}

type Callback = (error: unknown, result?: QueryResult) => void

const connectionLostError = () =>
  Object.assign(new Error('The connection was lost during an earlier statement. The statement was not sent.'), {
    fatal: true,
  })

const lockOutsideTransactionError = () =>
  new Error(
    'A locking read (SELECT … FOR UPDATE, FOR SHARE or LOCK IN SHARE MODE) was called outside a transaction, ' +
      'and was not sent. ' +
      'Outside a transaction its locks are released as soon as it returns. ' +
      'Run it on the `tx` of `transact`, or remove the locking clause.',
  )

/** A connection of the driver's pool that records whether it can be reused. */
class PooledConnection {
  readonly #raw: PoolConnection
  readonly #limits: PoolLimits
  readonly #onRelease: () => void
  #isCheckedOut = false
  #isPrepared = false
  #isLost = false
  /** BEGIN was called and not sent yet. */
  #isBeginPending = false
  #isInTransaction = false

  constructor(raw: PoolConnection, limits: PoolLimits, onRelease: () => void) {
    this.#raw = raw
    this.#limits = limits
    this.#onRelease = onRelease
  }

  checkOut(): this {
    this.#isCheckedOut = true
    return this
  }

  /**
   * Sends a statement. BEGIN is sent together with the first statement of its transaction, which saves one round trip
   * for each transaction. A locking read outside a transaction is rejected and not sent.
   */
  query(sql: string, values: QueryValues, callback: Callback): void {
    // The driver would queue a statement, such as the ROLLBACK, behind one that timed out, and never send it.
    if (this.#isLost) {
      callback(connectionLostError())
      return
    }
    const isFirst = this.#isBeginPending
    this.#isBeginPending = sql === 'begin'
    if (this.#isBeginPending || (isFirst && ENDS_TRANSACTION.has(sql))) {
      callback(undefined, EMPTY_RESULT)
      return
    }
    if (isFirst) this.#isInTransaction = true
    if (!this.#isInTransaction && LOCKING_CLAUSE.test(sql)) {
      callback(lockOutsideTransactionError())
      return
    }
    const timeout = this.#limits.statementTimeoutMs
    this.#raw.query(
      { sql: isFirst ? `begin;\n${sql}` : sql, values, timeout },
      (error: QueryError | null, result: QueryResult) => {
        if (isConnectionLost(error) || isReadOnly(error)) this.#isLost = true
        if (result && 'serverStatus' in result) {
          this.#isInTransaction = (result.serverStatus & SERVER_STATUS_IN_TRANS) !== 0
        }
        callback(error, isFirst && result ? withoutFirst(result as QueryResult[]) : result)
      },
    )
  }

  /** Applies the session settings, unless an earlier caller has done so. */
  prepare(callback: (error?: unknown) => void): void {
    if (this.#isPrepared) {
      callback()
      return
    }
    const [isolation, settings] = SESSION_SETTINGS
    this.query(isolation, [], (error) => {
      if (error) return callback(error)
      this.query(settings, [this.#limits.lockWaitSeconds], (error) => {
        if (error) return callback(error)
        this.#isPrepared = true
        callback()
      })
    })
  }

  release(): void {
    if (!this.#isCheckedOut) return
    this.#isCheckedOut = false
    this.#isBeginPending = false
    if (this.#isLost || this.#isInTransaction || !this.#isPrepared) this.#raw.destroy()
    else this.#raw.release()
    this.#onRelease()
  }
}

/**
 * Adds two guarantees to the driver's pool. The wait for a connection is bounded. A connection that was lost, timed
 * out, or is still inside a transaction is destroyed on release, so that its next user cannot commit the statements of
 * an earlier one.
 */
export class BoundedPool implements MysqlPool {
  readonly #pool: Pool
  readonly #limits: PoolLimits
  readonly #connections = new WeakMap<PoolConnection, PooledConnection>()
  /** First in, first out. The driver's own queue has no way to remove a caller that timed out. */
  readonly #waiting = new Set<() => void>()
  #checkedOut = 0

  constructor(pool: Pool, limits: PoolLimits) {
    this.#pool = pool
    this.#limits = limits
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
      this.#checkedOut++
      this.#pool.getConnection((error, raw) => {
        if (error) {
          this.#freeSlot()
          return isWaiting ? settle(error) : undefined
        }
        const connection = this.#wrap(raw).checkOut()
        if (!isWaiting) return connection.release()
        connection.prepare((error) => {
          if (!error && isWaiting) return settle(undefined, connection)
          connection.release()
          if (isWaiting) settle(error)
        })
      })
    }
    if (this.#checkedOut < this.#limits.connections) acquire()
    else this.#waiting.add(acquire)
  }

  end(callback: (error: unknown) => void): void {
    // An error at this point means that a connection was lost or never established. Either way it is closed.
    this.#pool.end(() => callback(undefined))
    for (const acquire of this.#waiting) acquire()
    this.#waiting.clear()
  }

  #freeSlot(): void {
    this.#checkedOut--
    const [next] = this.#waiting
    if (!next) return
    this.#waiting.delete(next)
    next()
  }

  #wrap(raw: PoolConnection): PooledConnection {
    const known = this.#connections.get(raw)
    if (known) return known
    const connection = new PooledConnection(raw, this.#limits, () => this.#freeSlot())
    this.#connections.set(raw, connection)
    return connection
  }
}
