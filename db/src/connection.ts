import { Kysely, type LogEvent, MysqlDialect } from 'kysely'
import type { ConnectionOptions } from 'mysql2'
import { parseDatabaseUrl } from './database-url.ts'
import type { Pool } from './handles.ts'
import { BoundedPool } from './pool.ts'
import type { PoolLimits, PoolListener, ServerOptions } from './pool-options.ts'
import { PrimaryFinder } from './primary-finder.ts'
import { COLLATION, type SessionLimits } from './session.ts'
import type { Tables } from './tables.ts'

export interface ConnectOptions extends Partial<PoolLimits>, PoolListener {
  /** Called after every statement with its SQL, its parameters, its duration and, if it failed, its error. */
  log?: (event: LogEvent) => void
}

const KEEP_ALIVE_DELAY_MS = 10_000

/** How long a connection may take, and the search for the primary. */
const CONNECT_TIMEOUT_MS = 10_000

/**
 * Driver options for the database of this URL, which read and write numbers, times and text without loss. They are
 * explicit: the driver takes any of its own options from a URL.
 */
function urlOptions(url: string): ServerOptions {
  const { servers, tls, ...credentials } = parseDatabaseUrl(url)
  return {
    servers,
    ...credentials,
    // With `ssl`, the driver encrypts the connection or fails.
    ...(tls && {
      ssl: {
        ...(tls.ca !== undefined && { ca: tls.ca }),
        rejectUnauthorized: tls.mode !== 'REQUIRED',
        verifyIdentity: tls.mode === 'VERIFY_IDENTITY',
      },
    }),
    charset: COLLATION.toUpperCase(),
    timezone: 'Z',
    // The driver returns a BIGINT beyond 2^53 as a string with all its digits. No output schema accepts a string as a
    // number.
    supportBigNumbers: true,
    flags: ['-LOCAL_FILES'],
    // A connection that waits for nothing is probed, so that a firewall does not forget it, and a dead one is found.
    enableKeepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS,
  }
}

/**
 * Driver options for a connection to the database of this URL, on the server that takes writes if the URL names several. They do
 * not follow the primary when it moves.
 *
 * @throws DatabaseUrlError when `url` is not valid.
 * @throws NoPrimaryError when the URL names several servers and none of them takes writes.
 */
export async function primaryOptions(
  url: string,
  limits: SessionLimits,
): Promise<ConnectionOptions & { database: string }> {
  const { servers, ...options } = urlOptions(url)
  const connection = { ...options, connectTimeout: CONNECT_TIMEOUT_MS, multipleStatements: true }
  const server = await new PrimaryFinder({ servers, connection, limits }).find()
  return { ...options, ...server }
}

/**
 * Opens a pool on `mysql://user[:password]@host:port/database`; docs/configuration.md lists the parameters of the URL. Of several
 * hosts, the pool uses the one that takes writes, and follows it. The first statement opens the first connection. Sessions use UTC,
 * strict mode and READ COMMITTED. `destroy` closes the pool.
 *
 * Statements reject with AcquireTimeoutError when no connection becomes free within `acquireTimeoutMs`, with
 * ConnectError when a connection cannot be opened, and with the driver's error when the connection is lost, the server
 * rejects the statement, or `statementTimeoutMs` has passed. A locking read outside a transaction rejects with an Error
 * and is not sent.
 *
 * @throws DatabaseUrlError when `url` is not valid.
 */
export function connect(url: string, options: ConnectOptions = {}): Pool {
  const {
    connections = 10,
    acquireTimeoutMs = 1_500,
    statementTimeoutMs = 15_000,
    lockWaitSeconds = 1,
    checkAfterIdleMs = 3_000,
    // After a check that fails, there is time to open a connection.
    checkTimeoutMs = Math.min(500, acquireTimeoutMs / 3),
    closeAfterIdleMs = 30_000,
    watchIntervalMs = 2_000,
    log,
    ...listener
  } = options
  // Several statements in one message, for the session settings, for BEGIN with the first statement, and for
  // `executeBatch`. The driver escapes every value; `checkServer` rejects each sql_mode in which its escaping would be
  // unsafe.
  const driver = { ...urlOptions(url), multipleStatements: true }
  const limits = {
    connections,
    acquireTimeoutMs,
    statementTimeoutMs,
    lockWaitSeconds,
    checkAfterIdleMs,
    checkTimeoutMs,
    closeAfterIdleMs,
    watchIntervalMs,
  }
  return new KyselyPool(new BoundedPool(driver, limits, listener), log) as unknown as Pool
}

/** Kysely with the state of its pool. */
class KyselyPool extends Kysely<Tables> {
  readonly #pool: BoundedPool

  constructor(pool: BoundedPool, log: ConnectOptions['log']) {
    super({ dialect: new MysqlDialect({ pool }), ...(log && { log }) })
    this.#pool = pool
  }

  get accessError(): Pool['accessError'] {
    return this.#pool.accessError
  }
}
