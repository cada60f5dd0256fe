/**
 * Nothing happened: the database had no time for this transaction, in all the attempts it was given.
 * The last failure is the cause.
 */
export class DatabaseBusyError extends Error {
  override readonly name = 'DatabaseBusy'

  constructor(cause: unknown) {
    super('The database could not do this in time; nothing was changed.', { cause })
  }
}

/** No connection became free within the bound. Nothing was sent. */
export class AcquireTimeoutError extends Error {
  override readonly name = 'NoConnectionFree'

  constructor(waitedMs: number) {
    super(`No database connection became free within ${waitedMs} ms.`)
  }
}

/** COMMIT was sent and its answer never came: the transaction happened entirely or not at all, and which is not known. */
export class CommitUnknownError extends Error {
  override readonly name = 'OutcomeUnknown'

  constructor(cause: unknown) {
    super('The connection was lost while COMMIT was under way; whether it happened is not known.', { cause })
  }
}

const DUPLICATE_KEY = 1062
const LOCK_WAIT = 1205

/**
 * Failures after which a fresh transaction may succeed. By errno: the driver names MariaDB's numbers after MySQL's
 * table, so its codes can be wrong.
 */
const TRANSIENT = new Set([
  1213, // deadlock
  1205, // lock wait timeout; NOWAIT on MariaDB
  3572, // NOWAIT on MySQL
  1020, // record changed since it was read (MariaDB's snapshot isolation)
  1040, // too many connections
  1203, // too many connections of this user
  1053, // the server is shutting down
  1290, // the server is read-only for now
  1836, // the same, on MySQL
  1317, // the statement was interrupted
  1927, // the connection was killed (MariaDB)
  4031, // the connection was closed for idleness (MySQL)
  1969, // statement time exceeded (MariaDB)
  3024, // statement time exceeded (MySQL)
])

/** After one of these at COMMIT, the transaction is known to be rolled back. */
const ROLLED_BACK = new Set([1213, 1205, 1020])

/** The server takes no writes: by its own setting, in a transaction, or in its read-only mode. */
const READ_ONLY = new Set([1290, 1792, 1836])

interface DriverError {
  errno?: number
  fatal?: boolean
  code?: string
}

/** Whether the server of this connection takes no writes: after a failover, a new connection may lead to the one that does. */
export function isReadOnly(error: unknown): boolean {
  return READ_ONLY.has((error as DriverError | null)?.errno ?? 0)
}

/** Whether the connection is gone, or must be given up because its statement never answered. */
export function isConnectionLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { errno, fatal, code } = error as DriverError
  if (code === 'PROTOCOL_SEQUENCE_TIMEOUT') return true
  return fatal === true && !(errno !== undefined && errno > 0)
}

/** Whether the same work may succeed in a fresh transaction, provided COMMIT was not yet sent. */
export function isTransient(error: unknown): boolean {
  if (error instanceof AcquireTimeoutError || isConnectionLost(error)) return true
  return error instanceof Error && TRANSIENT.has((error as DriverError).errno ?? 0)
}

/** Why something failed, in a word for a log: the database's number, the driver's code, or the name of our error. */
export function errorCode(error: unknown): string | number {
  const { errno = 0, code, name = 'unknown' } = error instanceof Error ? (error as Error & DriverError) : {}
  return errno > 0 ? errno : (code ?? name)
}

/** Whether somebody else kept a row locked for longer than we wait. */
export function isLockWait(error: unknown): boolean {
  return error instanceof Error && (error as DriverError).errno === LOCK_WAIT
}

/** Whether a failed COMMIT is known to have changed nothing. Of every other failure at COMMIT the outcome is not known. */
export function isRolledBack(error: unknown): boolean {
  return error instanceof Error && ROLLED_BACK.has((error as DriverError).errno ?? 0)
}

/** Whether somebody else was faster to insert the same unique key: whoever looks again finds their row. */
export function isDuplicateKey(error: unknown): boolean {
  return error instanceof Error && (error as DriverError).errno === DUPLICATE_KEY
}
