import type { Reader } from '@pointwise/db'
import { readRetainedEvents } from '../../outbox/horizon.ts'
import type { Horizon, TableScans } from '../audit-run.ts'
import * as queries from '../queries/event-queries.ts'

/**
 * How much later than the first retained event a change must be to have a retained event, in milliseconds. Ids are not in the
 * order of times: transactions take time, and the clocks of two servers differ.
 */
const TOLERANCE_MS = 60_000

const BEGINNING: Horizon = { isBeginning: true, requiredSince: new Date(0) }

/** The last time that a column can have. */
const NEVER = new Date('9999-12-31T23:59:59.999Z')

/**
 * Reads where the events begin. Events that were deleted before the first row was written do not count. Several calls can have
 * the time of the first retained event. If more rows than events have it, events of this time were deleted, too.
 */
export async function readHorizon(db: Reader, scans: TableScans): Promise<Horizon> {
  const { horizon } = await readRetainedEvents(db)
  if (horizon === 0) return BEGINNING
  const first = await queries.selectFirstEventTime(db, horizon).executeTakeFirst()
  const time = first?.at ?? NEVER
  if (!(await hasRowsBefore(db, scans, time)) && !(await hasMoreRowsThanEventsAt(db, scans, time))) return BEGINNING
  return { isBeginning: false, requiredSince: first ? new Date(first.at.getTime() + TOLERANCE_MS) : NEVER }
}

async function hasRowsBefore(db: Reader, scans: TableScans, time: Date): Promise<boolean> {
  for (const table of queries.TABLES_WITH_EVENTS) {
    for (const chunk of scans[table].chunks) {
      const first = await queries.selectFirstTime(db, table, chunk).executeTakeFirst()
      if (first?.at && first.at < time) return true
    }
  }
  return false
}

async function hasMoreRowsThanEventsAt(db: Reader, scans: TableScans, time: Date): Promise<boolean> {
  let excess = 0
  for (const table of queries.TABLES_WITH_EVENTS) {
    for (const chunk of scans[table].chunks) {
      excess += (await queries.selectRowsAt(db, table, chunk, time).executeTakeFirstOrThrow()).count
    }
  }
  for (const chunk of scans.events.chunks) {
    excess -= (await queries.selectCreationEventsAt(db, chunk, time).executeTakeFirstOrThrow()).count
  }
  return excess > 0
}
