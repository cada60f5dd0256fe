/** What Pointwise needs from a database server, and what a server can lack although it accepts every statement. */
export type Capability =
  /** ROLLBACK undoes every change of its transaction. */
  | 'transactions'
  /** SELECT … FOR UPDATE waits for rows that another session has locked, and locks the rows that it returns. */
  | 'lockingReads'
  /** SELECT … FOR UPDATE SKIP LOCKED returns and locks the rows that no other session has locked, and only those. */
  | 'skipLocked'
  /** Within a transaction, each read returns what was committed before it, and nothing that was not committed. */
  | 'readCommitted'
  | 'checkConstraints'
  | 'uniqueKeys'
  | 'foreignKeys'
  /** The rows of one INSERT get consecutive ids, in the order of the rows. */
  | 'consecutiveIds'

/** A capability that the server lacks. */
export interface CapabilityFailure {
  capability: Capability
  /** What was tried and what happened, as a sentence. */
  found: string
}
