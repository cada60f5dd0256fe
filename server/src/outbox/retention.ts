import { setTimeout as delay } from 'node:timers/promises'
import { executeBatch, type Pool, type Tx, transact } from '@pointwise/db'
import { deleteEvents, lockHorizon } from './horizon.ts'
import * as queries from './queries.ts'

const EVENTS_PER_TRANSACTION = 1_000

export interface RetentionOptions {
  /** How long an event is retained, in days of 24 hours on the clock of the database; 0: without a limit. */
  retentionDays: number
  /** Aborted to stop after the transaction in progress. */
  signal?: AbortSignal | undefined
  /** Receives a warning, at most once a call, when the position of a relay prevents the deletion of an old event. */
  onWarning?: ((message: string, details: object) => void) | undefined
  /** The number of events that a transaction deletes, at most. */
  limit?: number
}

/**
 * Deletes the events that every relay has published and that are older than `retentionDays`, the oldest first, and returns how
 * many. It stops at the first event that must be retained. The newest published event is retained whatever its age: it shows
 * that no event is missing between it and the next one. Without a relay nothing is deleted.
 *
 * Each transaction deletes a range of ids and moves the horizon with it, so a call that fails or ends at any point leaves no more
 * than work for the next one. Between two transactions the call waits for as long as the last one took, so that it uses at most
 * half of the time of one connection. Two calls at the same time, as after a takeover, delete each event once.
 *
 * @throws Error when `outbox_cursors` has no row for the horizon
 * @throws DatabaseBusyError when a transaction failed four times for a transient reason, and the error of the database
 */
export async function deleteExpiredEvents(db: Pool, options: RetentionOptions): Promise<number> {
  const { retentionDays, signal, onWarning, limit = EVENTS_PER_TRANSACTION } = options
  if (retentionDays === 0) return 0
  let deleted = 0
  for (let after = 0; !signal?.aborted; ) {
    const startedAt = performance.now()
    const portion = await transact(db, (tx) => deletePortion(tx, { after, retentionDays, limit }))
    deleted += portion.deleted
    if (portion.blockedBy) onWarning?.('old events are not deleted until a relay has published them', portion.blockedBy)
    if (portion.throughId === undefined) break
    after = portion.throughId
    await delay(performance.now() - startedAt, undefined, { signal }).catch(() => undefined)
  }
  return deleted
}

interface PortionOptions {
  /** The id up to which this call has deleted everything. */
  after: number
  retentionDays: number
  limit: number
}

interface Portion {
  deleted: number
  /** The last id that was deleted; undefined if the next event must be retained. */
  throughId: number | undefined
  /** The slowest relay, if it has not published an event that is old enough. */
  blockedBy: { cursor: string; position: number } | undefined
}

async function deletePortion(tx: Tx, { after, retentionDays, limit }: PortionOptions): Promise<Portion> {
  await lockHorizon(tx)
  // The statements run in this order, so the events up to the position were published before they are read.
  const {
    slowest: [slowest],
    oldest,
  } = await executeBatch(tx, {
    slowest: queries.selectSlowestRelay(tx),
    oldest: queries.selectOldestEvents(tx, { after, retentionDays, limit: limit + 1 }),
  })
  if (!slowest) return { deleted: 0, throughId: undefined, blockedBy: undefined }
  const { name: cursor, position } = slowest
  const isFollowed = (index: number) => (oldest[index + 1]?.id ?? Number.POSITIVE_INFINITY) <= position
  const retained = oldest.findIndex(({ isExpired }, index) => isExpired === 0 || !isFollowed(index))
  const expired = oldest.slice(0, Math.max(0, retained))
  const last = expired.at(-1)
  const deleted = last ? await deleteEvents(tx, { after, throughId: last.id }) : 0
  if (deleted !== expired.length) throw changedMeanwhile(expired.length, deleted)
  const isBlocked = oldest.some(({ id, isExpired }) => isExpired === 1 && id > position)
  return {
    deleted,
    throughId: deleted === limit ? last?.id : undefined,
    blockedBy: deleted < limit && isBlocked ? { cursor, position } : undefined,
  }
}

/** A range may have held an event that was not committed when it was read. */
function changedMeanwhile(expected: number, found: number): Error {
  return new Error(
    `Old events were not deleted, because they changed meanwhile: ${expected} were read, and ${found} were found. Repeat the deletion.`,
  )
}
