import { executeBatch, type Reader, type Tx } from '@pointwise/db'
import { Refusal } from '../refusals.ts'
import * as queries from './queries.ts'

/** Which events the outbox contains, at one moment. */
export interface RetainedEvents {
  /** The highest id whose event was deleted on purpose; 0 if none was. */
  horizon: number
  /** The id of the oldest event; null if there is none. */
  oldestId: number | null
}

/**
 * Reads which events are retained. A query that ran before this function missed no event above the horizon that it returns.
 *
 * @throws Error when `outbox_cursors` has no row for the horizon
 */
export async function readRetainedEvents(db: Reader): Promise<RetainedEvents> {
  const retained = await queries.selectRetainedEvents(db).executeTakeFirst()
  if (retained) return retained
  throw missingHorizon()
}

function missingHorizon(): Error {
  return new Error(
    "The table outbox_cursors has no row 'horizon', which the migrations create. Insert it, with the highest id whose " +
      'event was deleted as its position, or 0.',
  )
}

/**
 * Requires that no event between `after` and `newestId` has been deleted. A deletion that did not move the horizon is noticed
 * if no older event is left. The unused ids of rolled-back transactions can look the same: the stream is refused then, too.
 *
 * @throws Refusal not_resumable
 */
export function requireRetained(
  { horizon, oldestId }: RetainedEvents,
  { after, newestId }: { after: number; newestId: number },
): void {
  const firstId = oldestId ?? newestId + 1
  if (after < horizon || after < firstId - 1) throw new Refusal('not_resumable')
}

/**
 * Locks the horizon until the transaction ends, so that one transaction at a time deletes events. No other code takes this lock.
 *
 * @throws Error when `outbox_cursors` has no row for the horizon
 */
export async function lockHorizon(tx: Tx): Promise<void> {
  await queries.lockHorizon(tx).executeTakeFirstOrThrow(missingHorizon)
}

/**
 * Deletes the events above `after` up to `throughId`, moves the horizon with them, and returns how many were deleted. The
 * transaction has locked the horizon. Nothing may be retained below the events, and every consumer must have read them.
 */
export async function deleteEvents(tx: Tx, range: { after: number; throughId: number }): Promise<number> {
  const { deleted } = await executeBatch(tx, {
    deleted: queries.deleteEventsWithin(tx, range),
    horizon: queries.advanceHorizon(tx, range.throughId),
  })
  return deleted.affectedRows
}
