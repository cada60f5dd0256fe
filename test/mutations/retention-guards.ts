import { type Guard, guardsIn } from './guard.ts'

const horizon = guardsIn('server/src/outbox/horizon.ts')
const retention = guardsIn('server/src/outbox/retention.ts')
const reader = guardsIn('server/src/outbox/outbox-reader.ts')

const DELETED_EVENTS = 'subscriptions/deleted-events'
const RETENTION = 'outbox/retention'

/** The retention of events, and its effect on those who read them. */
export const RETENTION_GUARDS: Guard[] = [
  horizon('horizon check', 'if (after < horizon || after <', 'if (after <', DELETED_EVENTS),
  horizon('oldest event check', ' || after < firstId - 1', '', DELETED_EVENTS),
  guardsIn('server/src/outbox/replay.ts')(
    'check of deletions during a replay',
    'requireRetained(await readRetainedEvents(this.#db), { after: chunk.after, newestId: throughId })',
    '',
    DELETED_EVENTS,
  ),
  reader('horizon check of open streams', 'return from <= horizon ||', 'return', DELETED_EVENTS),
  reader(
    'oldest event check of open streams',
    ' || (!isLeading && oldestId !== null && from < oldestId)',
    '',
    DELETED_EVENTS,
  ),
  reader(
    'check for an INSERT that is under way',
    'isInsertUnderWay: Boolean(longInsert)',
    'isInsertUnderWay: false',
    'outbox/long-inserts',
  ),
  retention('retention of young events', 'isExpired === 0 || !isFollowed(index)', '!isFollowed(index)', RETENTION),
  retention(
    'retention of unpublished events',
    'Number.POSITIVE_INFINITY) <= position',
    'Number.POSITIVE_INFINITY) < Number.POSITIVE_INFINITY',
    RETENTION,
  ),
  retention('retention of the newest published event', 'oldest[index + 1]?.id', 'oldest[index]?.id', RETENTION),
  retention(
    'check that every deleted event was read',
    'if (deleted !== expired.length) throw',
    'if (deleted < 0) throw',
    RETENTION,
  ),
  retention('lock of the horizon', '  await lockHorizon(tx)\n', '', RETENTION),
  horizon('horizon that moves with a deletion', 'horizon: queries.advanceHorizon(tx, range.throughId),', '', RETENTION),
  guardsIn('server/src/audit/checks/read-horizon.ts')(
    'deleted events with the time of the first retained one',
    'return excess > 0',
    'return excess > 999_999',
    'audit/retained-events',
  ),
  reader('check for lower ids', 'last.id < this.#buffer.highestId', 'last.id < 0', DELETED_EVENTS),
]
