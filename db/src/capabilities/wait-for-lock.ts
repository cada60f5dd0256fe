import { type Compilable, sql } from 'kysely'
import { executeBatch } from '../execute-batch.ts'
import type { Tx } from '../handles.ts'

interface Waiting {
  /** The transaction that holds the lock. */
  holder: Tx
  /** Ends that transaction. */
  release: () => Promise<unknown>
  /** The transaction that has to wait. */
  waiter: Tx
  /** The statement that has to wait. */
  statement: Compilable<unknown>
  /** How long the lock is held. */
  holdSeconds: number
}

/**
 * Finds out whether a statement waits for a lock until it is released. It compares times of the database server, so that a delay of
 * this process or of the network does not change the result.
 *
 * Returns undefined when the statement began only after the lock was released, on a busy server.
 */
export async function waitForLock(options: Waiting): Promise<boolean | undefined> {
  const { holder, release, waiter, statement, holdSeconds } = options
  const waiting = executeBatch(waiter, { before: serverTime(waiter), statement, after: serverTime(waiter) })
  // Handled below, unless holding the lock fails first.
  waiting.catch(() => undefined)
  const { heldUntil } = await executeBatch(holder, {
    held: holder.selectNoFrom(sql`sleep(${sql.lit(holdSeconds)})`.as('held')),
    heldUntil: serverTime(holder),
  })
  await release()
  const { before, after } = await waiting
  return secondsOf(before) >= secondsOf(heldUntil) ? undefined : secondsOf(after) >= secondsOf(heldUntil)
}

const serverTime = (tx: Tx) => tx.selectNoFrom(sql<string>`unix_timestamp(sysdate(6))`.as('seconds'))

const secondsOf = ([row]: { seconds: string }[]) => Number(row?.seconds)
