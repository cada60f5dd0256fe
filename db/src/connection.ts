import { Kysely, type LogEvent, MysqlDialect } from 'kysely'
import { createPool } from 'mysql2'
import { parseDatabaseUrl } from './database-url.ts'
import type { Pool } from './handles.ts'
import { BoundedPool, type PoolLimits } from './pool.ts'
import type { Tables } from './tables.ts'

export interface ConnectOptions extends Partial<PoolLimits> {
  /** Called after every statement with its SQL, its parameters, its duration and, if it failed, its error. */
  log?: (event: LogEvent) => void
}

/** A utf8mb4 collation that MySQL and MariaDB both support. It compares different emoji as different. */
export const COLLATION = 'utf8mb4_unicode_520_ci'

/**
 * Driver options for the database of this URL, which read and write numbers, times and text without loss. They are
 * explicit: the driver takes any of its own options from a URL.
 *
 * @throws DatabaseUrlError when `url` is not valid.
 */
export function driverOptions(url: string) {
  const { server, tls, ...credentials } = parseDatabaseUrl(url)
  return {
    ...server,
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
  }
}

/**
 * Opens a pool on `mysql://user[:password]@host:port/database`; docs/configuration.md lists the parameters of the URL.
 * The first statement opens the first connection. Sessions use UTC, strict mode and READ COMMITTED. `destroy` closes the pool.
 *
 * Statements reject with AcquireTimeoutError when no connection becomes free within `acquireTimeoutMs`, and with the
 * driver's error when the connection fails, the server rejects the statement, or `statementTimeoutMs` has passed. A
 * locking read outside a transaction rejects with an Error and is not sent.
 *
 * @throws DatabaseUrlError when `url` is not valid.
 */
export function connect(url: string, options: ConnectOptions = {}): Pool {
  const { connections = 10, acquireTimeoutMs = 1_500, statementTimeoutMs = 15_000, lockWaitSeconds = 1, log } = options
  const pool = createPool({
    ...driverOptions(url),
    // For `executeBatch` and for BEGIN with the first statement. The driver escapes every value; `checkServer` rejects
    // each sql_mode in which its escaping would be unsafe.
    multipleStatements: true,
    connectionLimit: connections,
    maxIdle: connections,
    // After this time the caller has failed with AcquireTimeoutError. A longer attempt would only occupy the pool.
    connectTimeout: acquireTimeoutMs,
  })
  const kysely = new Kysely<Tables>({
    dialect: new MysqlDialect({
      pool: new BoundedPool(pool, { connections, acquireTimeoutMs, statementTimeoutMs, lockWaitSeconds }),
    }),
    ...(log && { log }),
  })
  return kysely as unknown as Pool
}
