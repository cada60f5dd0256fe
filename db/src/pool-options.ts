import type { ConnectionOptions } from 'mysql2'
import type { AccessListener } from './account-access.ts'
import type { DatabaseServer, DatabaseServers } from './database-url.ts'
import type { NoPrimaryError } from './primary-finder.ts'

export interface PoolLimits {
  /** Maximum number of connections. */
  connections: number
  /** Maximum wait for a free connection, in milliseconds. After it, the caller gets an AcquireTimeoutError. */
  acquireTimeoutMs: number
  /**
   * Maximum duration of a statement, in milliseconds. After it, the statement fails, its connection is destroyed and
   * its session is ended.
   */
  statementTimeoutMs: number
  /**
   * Maximum wait for a row lock, and for a metadata lock, in seconds. After it, the statement fails with errno 1205.
   */
  lockWaitSeconds: number
  /** A connection that was idle for this long, in milliseconds, is checked before it is lent. */
  checkAfterIdleMs: number
  /** How long the server has to respond to a check, in milliseconds. After it, the connection counts as lost. */
  checkTimeoutMs: number
  /** A connection that was idle for this long, in milliseconds, is closed. */
  closeAfterIdleMs: number
  /** How often the servers of open connections are checked, in milliseconds, if there are several servers: see `ServerWatch`. */
  watchIntervalMs: number
}

/** What the owner of a pool learns about its servers and its access to them. */
export interface PoolListener extends AccessListener {
  /**
   * The pool has found the primary among several servers: at first, whenever it is another one than before, and after
   * `onNoPrimary`.
   */
  onPrimary?: (primary: DatabaseServer) => void
  /** The pool has found no primary among several servers. Called once, until `onPrimary`. */
  onNoPrimary?: (error: NoPrimaryError) => void
}

/** How to connect to each of the servers, and the database to use. */
export interface ServerOptions extends ConnectionOptions {
  servers: DatabaseServers
  database: string
}
