import { Kysely, type LogEvent, MysqlDialect } from 'kysely'
import { createPool } from 'mysql2'
import type { Pool } from './handles.ts'
import { BoundedPool, type PoolLimits } from './pool.ts'
import type { Tables } from './tables.ts'

export interface ConnectOptions extends Partial<PoolLimits> {
  /** Called after every statement, with its SQL, parameters and duration. */
  log?: (event: LogEvent) => void
}

/** 'utf8mb4' with a collation that MySQL and MariaDB both have, and that tells one emoji from another. */
export const COLLATION = 'utf8mb4_unicode_520_ci'

/** What the driver needs to read and write our tables without losing a digit, an hour or a character. */
export function driverOptions(url: string) {
  return {
    uri: url,
    charset: COLLATION.toUpperCase(),
    timezone: 'Z',
    // A BIGINT beyond 2^53 arrives as a string with all its digits, which no output schema takes for a number.
    supportBigNumbers: true,
    flags: ['-LOCAL_FILES'],
  }
}

/**
 * Opens a pool on `mysql://user[:password]@host:port/database`. No connection is made before the first statement.
 * Sessions run in UTC, in strict mode, at READ COMMITTED. A wait for a connection is bounded (NoConnectionFree).
 */
export function connect(url: string, options: ConnectOptions = {}): Pool {
  const { connections = 10, acquireTimeoutMs = 1_500, statementTimeoutMs = 15_000, lockWaitSeconds = 1, log } = options
  const pool = createPool({
    ...driverOptions(url),
    // For `together`. Every value is escaped by the driver, under an sql_mode that checkServer asserts.
    multipleStatements: true,
    connectionLimit: connections,
    maxIdle: connections,
    // Whoever asked has gone by then, and a connection that never comes keeps its place in the pool.
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
