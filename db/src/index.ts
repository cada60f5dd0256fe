export { checkAccess, explainDenied } from './access-check.ts'
export type { Capability, CapabilityFailure } from './capabilities/capability.ts'
export { checkCapabilities, tryCapabilities } from './capabilities/check-capabilities.ts'
export type { LockingStatements } from './capabilities/try-locks.ts'
export { caseWhen } from './case-when.ts'
export { type ConnectOptions, connect } from './connection.ts'
export { parseDatabaseUrl } from './database-url.ts'
export { DatabaseUrlError } from './database-url-error.ts'
export { Deadline, DeadlineExceededError } from './deadline.ts'
export { errorMessage, withoutStatement } from './error-message.ts'
export {
  AcquireTimeoutError,
  CommitUnknownError,
  ConnectError,
  DatabaseBusyError,
  errorCode,
  isLockWait,
  isStatementTimeout,
  isTransient,
} from './errors.ts'
export { executeBatch, type WriteResult } from './execute-batch.ts'
export { forceIndex } from './force-index.ts'
export type { Pool, Reader, Tx } from './handles.ts'
export { createDatabase, migrate, newerMigrations, pendingMigrations } from './migrate.ts'
export { nameKey } from './name-key.ts'
export { readSnapshot, readUncommitted } from './read-snapshot.ts'
export { REPLICA_LAG_MS_MAX, Replica, type ReplicaOptions } from './replica/replica.ts'
export { type CheckedServer, checkServer } from './server-check.ts'
export type { OrderStatus, StockReason, Tables, UseType } from './tables.ts'
export { executeAutocommit, type FailedAttempt, type TransactOptions, transact } from './transact.ts'
