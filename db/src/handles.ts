import type { Kysely, Transaction } from 'kysely'
import type { ConnectError } from './errors.ts'
import type { Tables } from './tables.ts'

/**
 * Runs plain SELECT statements, inside or outside a transaction. It has no method that writes, opens a transaction or
 * closes connections. A SELECT that locks rows belongs in a function that takes a `Tx`: its type allows `.forUpdate()`,
 * but outside a transaction the pool rejects such a statement with an Error and does not send it.
 */
export type Reader = Pick<Kysely<Tables>, 'selectFrom' | 'selectNoFrom' | 'fn'>

declare const opensTransactions: unique symbol

/**
 * The connection pool. `transact` and `readSnapshot` open transactions on it. The code that opens a pool also destroys
 * it.
 */
export interface Pool extends Reader {
  readonly [opensTransactions]: true
  /** Why the server refuses the account of this pool; undefined while it does not. */
  readonly accessError: ConnectError | undefined
  /** Closes every connection. Callers that wait for a connection are rejected. */
  destroy(): Promise<void>
}

/** An open transaction. It reads and writes. A `Tx` is a `Reader`; a `Reader` or a `Pool` is not a `Tx`. */
export type Tx = Reader &
  Pick<
    Transaction<Tables>,
    'insertInto' | 'updateTable' | 'deleteFrom' | 'executeQuery' | 'getExecutor' | 'isTransaction'
  >

/** Returns the pool with every method of Kysely. Only the functions of this package that open transactions use it. */
export function kyselyOf(pool: Pool): Kysely<Tables> {
  return pool as unknown as Kysely<Tables>
}
