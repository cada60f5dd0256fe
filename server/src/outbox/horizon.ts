import type { Reader, Tx } from '@pointwise/db'
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
  throw new Error(
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
 * Deletes the oldest events up to `throughId`, at most `limit` of them, and moves the horizon with them. Returns how many
 * were deleted; call it in a new transaction until that is less than `limit`. Delete only events that every consumer has
 * read and whose transactions ended long ago.
 */
export async function deleteOldEvents(
  tx: Tx,
  { throughId, limit }: { throughId: number; limit: number },
): Promise<number> {
  const ids = await queries.selectOldestIds(tx, { throughId, limit }).execute()
  const last = ids.at(-1)
  if (!last) return 0
  await queries.advanceHorizon(tx, last.id).execute()
  await queries.deleteEventsThrough(tx, last.id).execute()
  return ids.length
}
