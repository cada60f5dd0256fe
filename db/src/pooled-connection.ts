import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import {
  type Connection,
  type ConnectionOptions,
  createConnection,
  type QueryError,
  type QueryResult,
  type QueryValues,
  type ResultSetHeader,
} from 'mysql2'
import { connectionLostError, lockOutsideTransactionError, serverUnresponsiveError } from './connection-errors.ts'
import type { DatabaseServer } from './database-url.ts'
import { isConnectionLost, rejectsWrites } from './errors.ts'
import { type Script, splitScript } from './script.ts'
import { isVitess } from './server-version.ts'
import { type SessionLimits, sessionStatements } from './session.ts'
import { requireWritable } from './write-check.ts'

const SERVER_STATUS_IN_TRANS = 1

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

/** The options of a connection. `connectTimeout` also bounds each statement of the session's start. */
export interface DriverOptions extends ConnectionOptions {
  connectTimeout: number
}

/** The pool that a connection belongs to. */
export interface Owner {
  limits: SessionLimits
  /** The caller has released the connection. */
  onRelease: (connection: PooledConnection) => void
  /** The server has rejected a statement because it takes no writes. */
  onWriteRejected: (connection: PooledConnection) => void
  /** The connection was closed, by the server or by an error of the network. */
  onClosed: (connection: PooledConnection) => void
}

/** The owner of a connection that belongs to no pool. */
export function withoutPool(limits: SessionLimits): Owner {
  const ignore = () => undefined
  return { limits, onRelease: ignore, onWriteRejected: ignore, onClosed: ignore }
}

/** A connection that records whether it can be reused. */
export class PooledConnection {
  /**
   * The user-level lock that the session holds, by which another session can find it: see `SessionKiller`. Vitess cannot end a session
   * that is found in this way, so on Vitess it is undefined.
   */
  sessionLock: string | undefined
  /** The server of the session. */
  readonly server: DatabaseServer
  /** When the server last responded, on the clock of `performance.now`. */
  respondedAt = performance.now()
  readonly #raw: Connection
  readonly #startTimeoutMs: number
  readonly #owner: Owner
  #isCheckedOut = false
  #isLost = false
  #isRetired = false
  #isClosed = false
  /** Called when the connection was lost or closed. The driver never calls back what it has queued behind a lost statement. */
  #onUnusable: () => void = () => undefined
  #isGalera = false
  /** BEGIN was called and not sent yet. */
  #isBeginPending = false
  #isInTransaction = false

  private constructor(options: DriverOptions, server: DatabaseServer, owner: Owner) {
    const raw = createConnection({ ...options, ...server })
    this.#raw = raw
    this.#startTimeoutMs = options.connectTimeout
    this.server = server
    this.#owner = owner
    const onClosed = () => {
      this.#isClosed = true
      this.#onUnusable()
      owner.onClosed(this)
    }
    raw.on('error', onClosed).on('end', onClosed)
  }

  /**
   * Opens a connection to a server and applies the session settings.
   *
   * @param signal ends the attempt
   * @throws the driver's error when the server cannot be reached within `connectTimeout`, refuses the connection, or
   * does not apply a setting.
   */
  static async open(
    options: DriverOptions,
    server: DatabaseServer,
    owner: Owner,
    signal?: AbortSignal,
  ): Promise<PooledConnection> {
    const connection = new PooledConnection(options, server, owner)
    const abort = () => connection.abort()
    signal?.addEventListener('abort', abort)
    try {
      signal?.throwIfAborted()
      const version = await connection.#connect()
      const statements = sessionStatements(version, options.database, owner.limits)
      if (!isVitess(version)) {
        connection.sessionLock = `pointwise-session:${randomUUID()}`
        statements.push(`do get_lock('${connection.sessionLock}', 0)`)
      }
      statements.push("show global variables like 'wsrep_on'")
      const results = await connection.#start<{ Value: string }[]>(statements.join(';\n'))
      connection.#isGalera = results.at(-1)?.[0]?.Value === 'ON'
    } catch (error) {
      connection.destroy()
      throw error
    } finally {
      signal?.removeEventListener('abort', abort)
    }
    connection.respondedAt = performance.now()
    return connection
  }

  /**
   * Checks that the server takes writes: see `requireWritable`.
   *
   * @param database the database in which the right to write is tried
   */
  requireWritable(database: string): Promise<void> {
    return requireWritable((sql) => this.#start(sql), database)
  }

  /** Whether the server is a node of a Galera cluster. */
  get isGalera(): boolean {
    return this.#isGalera
  }

  /** Opens the connection. Returns the version that the server reports. */
  #connect(): Promise<string> {
    return new Promise((resolve, reject) => {
      let version = ''
      this.#raw.once('connect', ({ serverVersion }: { serverVersion: string }) => {
        version = serverVersion
      })
      this.#raw.connect((error) => (error ? reject(error) : resolve(version)))
    })
  }

  /** Sends a statement before the connection is lent. */
  #start<Row>(sql: string): Promise<Row[]> {
    return new Promise((resolve, reject) =>
      this.#raw.query({ sql, timeout: this.#startTimeoutMs }, (error, rows) =>
        error ? reject(error) : resolve(rows as Row[]),
      ),
    )
  }

  checkOut(): this {
    this.#isCheckedOut = true
    return this
  }

  /** Whether the session may live on after the connection is destroyed, because the server may not notice that it was closed. */
  get isLost(): boolean {
    return this.#isLost
  }

  get isReusable(): boolean {
    return !this.#isLost && !this.#isRetired && !this.#isInTransaction && !this.#isClosed
  }

  /**
   * Sends a statement, or the statements of `executeBatch`. BEGIN is sent together with the first statement of its transaction,
   * which saves one round trip for each transaction. A locking read outside a transaction is rejected and not sent.
   *
   * To a Galera node, each statement is sent alone. When the write of another node rolls back a transaction between two
   * statements of one message, MariaDB runs the rest of the message without an error, and each of its statements commits by itself.
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
    const script = { sql: isFirst ? `begin;\n${sql}` : sql, parameters: values as unknown[] }
    const finish: Callback = (error, result) =>
      callback(error, isFirst && result ? withoutFirst(result as QueryResult[]) : result)
    if (this.#isGalera) this.#sendEach(splitScript(script), finish)
    else this.#send(script, finish)
  }

  /** Sends each statement after the result of the one before it. */
  #sendEach([statement, ...later]: Script[], callback: Callback, earlier: QueryResult[] = []): void {
    if (!statement) {
      callback(undefined, (earlier.length === 1 ? earlier[0] : earlier) as QueryResult)
      return
    }
    this.#send(statement, (error, result) =>
      error || !result ? callback(error) : this.#sendEach(later, callback, [...earlier, result]),
    )
  }

  #send({ sql, parameters }: Script, callback: Callback): void {
    const options = { sql, values: parameters as QueryValues, timeout: this.#owner.limits.statementTimeoutMs }
    this.#raw.query(options, (error: QueryError | null, result: QueryResult) => {
      if (isConnectionLost(error)) {
        this.#isLost = true
        this.#onUnusable()
      } else this.respondedAt = performance.now()
      if (rejectsWrites(error)) {
        this.#isRetired = true
        this.#owner.onWriteRejected(this)
      }
      if (result && 'serverStatus' in result) {
        this.#isInTransaction = (result.serverStatus & SERVER_STATUS_IN_TRANS) !== 0
      }
      callback(error, result)
    })
  }

  /** Whether the server responds to a PING within this time. */
  respondsWithin(timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      // A response that arrived while this process was busy is read before the timeout counts.
      const timer = setTimeout(() => setImmediate(resolve, false), timeoutMs)
      this.#raw.ping((error) => {
        clearTimeout(timer)
        if (!error) this.respondedAt = performance.now()
        resolve(!error)
      })
    })
  }

  /** Makes the connection be closed when it is released. */
  retire(): void {
    this.#isRetired = true
  }

  /** Fails the statement under way and those that follow, because the server does not respond. */
  abort(): void {
    this.#isLost = true
    this.#socket.destroy(serverUnresponsiveError())
  }

  release(): void {
    if (!this.#isCheckedOut) return
    this.#isCheckedOut = false
    this.#isBeginPending = false
    this.#owner.onRelease(this)
  }

  /** Ends the session and closes the connection, after the statement under way has succeeded, failed or timed out. */
  async end(): Promise<void> {
    if (this.#isLost || this.#isClosed) return this.destroy()
    await new Promise<void>((resolve) => {
      this.#onUnusable = resolve
      this.#raw.end(() => resolve())
    })
    if (this.#isLost) this.destroy()
    else this.#socket.destroySoon()
  }

  /** Closes the connection at once. The driver's own method waits until the server has received everything. */
  destroy(): void {
    this.#isClosed = true
    this.#raw.destroy()
    this.#socket.destroy()
  }

  get #socket(): Socket {
    return (this.#raw as Connection & { stream: Socket }).stream
  }
}
