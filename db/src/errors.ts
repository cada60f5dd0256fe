/** Every attempt of a transaction failed for a transient reason. Nothing was changed. `cause` is the last failure. */
export class DatabaseBusyError extends Error {
  override readonly name = 'DatabaseBusyError'

  constructor(cause: unknown) {
    super('The transaction failed in every attempt, for transient reasons. Nothing was changed; it can be repeated.', {
      cause,
    })
  }
}

/** No connection became free within `acquireTimeoutMs`. Nothing was sent. */
export class AcquireTimeoutError extends Error {
  override readonly name = 'AcquireTimeoutError'

  constructor(waitedMs: number) {
    super(
      `No database connection became free within ${waitedMs} ms. Nothing was sent. ` +
        'The database does not respond, the pool is too small for this load, ' +
        'or transactions hold their connections for too long.',
    )
  }
}

/** No connection to the database could be opened. Nothing was sent. `cause` is the failure. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError'

  constructor(cause: unknown) {
    super('No connection to the database could be opened. Nothing was sent.', { cause })
  }
}

/** The settings of a server make it reject writes. */
export class ReadOnlyServerError extends Error {
  override readonly name = 'ReadOnlyServerError'

  /** @param variables those that are on */
  constructor(variables: string[]) {
    super(`${variables.join(' and ')} ${variables.length > 1 ? 'are' : 'is'} ON`)
  }
}

/**
 * COMMIT failed in a way that leaves its outcome unknown, such as a lost connection. The transaction was either
 * committed as a whole or rolled back as a whole. `cause` is the failure.
 */
export class CommitUnknownError extends Error {
  override readonly name = 'CommitUnknownError'

  constructor(cause: unknown) {
    super(
      'COMMIT failed, and it is unknown whether the transaction was committed. Read the affected rows to find out.',
      {
        cause,
      },
    )
  }
}

const DUPLICATE_KEY = 1062
const LOCK_WAIT = 1205

/**
 * Failures after which a new transaction may succeed. By errno, because the driver derives its `code` from MySQL's
 * table, which is wrong for some of MariaDB's numbers.
 */
const TRANSIENT = new Set([
  1213, // deadlock
  1205, // timeout of a row lock or a metadata lock; NOWAIT on MariaDB
  3572, // NOWAIT on MySQL
  1020, // record changed since it was read (MariaDB's snapshot isolation)
  1040, // too many connections
  1203, // too many connections of this user
  1053, // the server is shutting down
  2002, // Vitess cannot connect to its MySQL server
  2003, // the same
  2006, // Vitess has lost the connection to its MySQL server
  2013, // the same, during a statement
  1290, // the server is read-only
  1836, // the server is in read-only mode (MySQL)
  1792, // the transaction is read-only
  1047, // the Galera node has no quorum, or is not ready
  3100, // Group Replication: the member cannot take part in the commit
  3101, // Group Replication: the transaction was not certified
  3796, // Group Replication: the member does not guarantee consistent reads at the moment
  3797, // Group Replication: consistent reads were not possible in time
  3798, // the same
  3032, // the server is in offline mode (MySQL)
  1317, // the statement was interrupted
  3169, // the session was killed (MySQL)
  1927, // the connection was killed (MariaDB)
  4031, // the connection was closed because it was idle (MySQL)
  1969, // statement time exceeded (MariaDB)
  3024, // statement time exceeded (MySQL)
])

/** The statement exceeded the server's limit: on MariaDB, and on MySQL. */
const STATEMENT_TIMEOUT = new Set([1969, 3024])

/** An error that stands for those of Vitess which MySQL does not have. Its message contains the reason. */
const UNKNOWN_ERROR = 1105
/** Vitess: the primary is being replaced, or the transaction has ended with it. */
const VITESS_MOVES =
  /operation not allowed in state|primary is not serving|no healthy tablet available|is being resharded|disallowed due to rule|wrong tablet type|QueryList\.TerminateAll|VT15001|code = Unavailable/

/**
 * Failures of COMMIT after which the transaction is known to be rolled back. Group Replication's 3100 and 3101 are not among them:
 * a member that leaves its group rolls back transactions with 3101 that the other members may have received and applied.
 */
const ROLLED_BACK = new Set([
  1213, // deadlock, or not certified by Galera
  1205,
  1020,
  1290, // a server that became read-only rolls back a transaction with writes
  1836,
  1792,
  1047, // a Galera node rejects the command itself, and the pool ends the session
])
/** An error during COMMIT. Its message contains the storage engine's error: 149 is a deadlock, which rolls back. */
const COMMIT_FAILED = 1180
const ENGINE_DEADLOCK = /\b149\b/

/** Failures after which writes belong on another server, if there is one. */
const REJECTS_WRITES = new Set([
  1290, // the server is read-only
  1792, // the transaction is read-only
  1836, // the server is in read-only mode
  1047, // the Galera node has no quorum, or is not ready
  1053, // the server is shutting down
  3032, // the server is in offline mode
  3100, // the member may be leaving its group
  3101, // the same
])

/** The server refuses the account, from this host or for this database, until its operator changes something. */
const ACCESS_DENIED = new Set([
  1044, // no access to the database
  1045, // wrong user or password
  1129, // the host is blocked after many failures
  1130, // the host is not allowed to connect
  1251, // the account's authentication method is not supported
  1524, // the account's authentication plugin is not loaded
  1698, // wrong user or password (MariaDB; MySQL without a password)
  1820, // the password has expired, found by the first statement
  1862, // the password has expired
  3118, // the account is locked (MySQL)
  3159, // the account requires an encrypted connection (MySQL)
  3955, // the account is locked after wrong passwords (MySQL)
  4151, // the account is locked (MariaDB)
])

interface DriverError {
  errno?: number
  fatal?: boolean
  code?: string
}

/** Whether the connection's server rejects writes. After a failover, a new connection may reach the writable server. */
export function rejectsWrites(error: unknown): boolean {
  return error instanceof ReadOnlyServerError || REJECTS_WRITES.has((error as DriverError | null)?.errno ?? 0)
}

/** Whether the server has responded, if only to refuse the connection. */
export function isServerResponse(error: unknown): boolean {
  return error instanceof ReadOnlyServerError || ((error as DriverError | null)?.errno ?? 0) > 0
}

/** Whether a statement took longer than the pool or the server allows. */
export function isStatementTimeout(error: unknown): error is Error {
  if (!(error instanceof Error)) return false
  const { errno = 0, code } = error as DriverError
  return code === 'PROTOCOL_SEQUENCE_TIMEOUT' || STATEMENT_TIMEOUT.has(errno)
}

/** Whether the connection was lost, or must be destroyed because its statement timed out. */
export function isConnectionLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { errno, fatal, code } = error as DriverError
  if (code === 'PROTOCOL_SEQUENCE_TIMEOUT') return true
  return fatal === true && !(errno !== undefined && errno > 0)
}

/** Whether a connection was refused because of the account, rather than because of the state of the server. */
export function isAccessDenied(error: unknown): boolean {
  return ACCESS_DENIED.has((error as DriverError | null)?.errno ?? 0)
}

/** Whether the same work may succeed in a new transaction, provided that COMMIT was not sent. */
export function isTransient(error: unknown): boolean {
  if (error instanceof AcquireTimeoutError || error instanceof ConnectError || isConnectionLost(error)) return true
  return error instanceof Error && isTransientResponse(error)
}

function isTransientResponse(error: Error): boolean {
  const { errno = 0 } = error as DriverError
  return (
    TRANSIENT.has(errno) || isEngineDeadlock(error) || (errno === UNKNOWN_ERROR && VITESS_MOVES.test(error.message))
  )
}

/**
 * Returns the reason of a failure for logs and metrics: the database's errno, the driver's code, or the error's name. Of
 * a ConnectError it is the reason of its cause.
 */
export function errorCode(error: unknown): string | number {
  if (error instanceof ConnectError) return errorCode(error.cause)
  const { errno = 0, code, name = 'unknown' } = error instanceof Error ? (error as Error & DriverError) : {}
  return errno > 0 ? errno : (code ?? name)
}

/** Whether another transaction held a row lock or a metadata lock for longer than `lockWaitSeconds` (errno 1205). */
export function isLockWait(error: unknown): boolean {
  return error instanceof Error && (error as DriverError).errno === LOCK_WAIT
}

/**
 * Whether a failed COMMIT is known to have changed nothing. After any other failure of COMMIT the outcome is unknown.
 */
export function isRolledBack(error: unknown): boolean {
  return error instanceof Error && (ROLLED_BACK.has((error as DriverError).errno ?? 0) || isEngineDeadlock(error))
}

/** MySQL's Group Replication aborts a local transaction that conflicts with one of another member. */
function isEngineDeadlock(error: Error): boolean {
  return (error as DriverError).errno === COMMIT_FAILED && ENGINE_DEADLOCK.test(error.message)
}

/** Whether the unique key already exists. A new transaction finds the row that another transaction has inserted. */
export function isDuplicateKey(error: unknown): boolean {
  return error instanceof Error && (error as DriverError).errno === DUPLICATE_KEY
}
