import type { Kysely, Transaction } from 'kysely'
import type { Tables } from './tables.ts'

/**
 * Runs plain SELECT statements, inside a transaction or outside of one. It has no method that writes, opens a transaction or
 * closes the connections. A SELECT that locks rows belongs in a function that takes a `Tx`.
 */
export type Reader = Pick<Kysely<Tables>, 'selectFrom' | 'selectNoFrom' | 'fn'>

declare const opensTransactions: unique symbol

/** The connection pool. It opens transactions, and whoever opened the pool destroys it. */
export interface Pool extends Reader {
  readonly [opensTransactions]: true
  /** Closes every connection. */
  destroy(): Promise<void>
}

/** A transaction under way. It reads and writes. A `Tx` is a `Reader`; a `Reader` or a `Pool` is not a `Tx`. */
export type Tx = Reader &
  Pick<
    Transaction<Tables>,
    'insertInto' | 'updateTable' | 'deleteFrom' | 'executeQuery' | 'getExecutor' | 'isTransaction'
  >

/** The pool with every method of Kysely, for the few functions of this package that open transactions. */
export function kyselyOf(pool: Pool): Kysely<Tables> {
  return pool as unknown as Kysely<Tables>
}
