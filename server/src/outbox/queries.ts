import type { Reader, Tables, Tx } from '@pointwise/db'
import { type ExpressionBuilder, sql } from 'kysely'
import { HORIZON, RELAY_PREFIX } from './cursor-names.ts'
import type { EventPayloads } from './event-schemas.ts'
import type { IdRange } from './reorder-buffer.ts'
import { isProductTopic } from './topics.ts'

const selectEvents = (db: Reader) =>
  db.selectFrom('events').select(['id', 'type', 'payload', 'created_at as at']).orderBy('id')

export function selectEventsAfter(db: Reader, { after, limit }: { after: number; limit: number }) {
  return selectEvents(db).where('id', '>', after).limit(limit)
}

export function selectEventsWithin(db: Reader, ranges: readonly IdRange[]) {
  return selectEvents(db).where(isWithin(ranges))
}

export function selectIdsWithin(db: Reader, ranges: readonly IdRange[]) {
  return db.selectFrom('events').select('id').where(isWithin(ranges)).orderBy('id')
}

/**
 * The sessions of this account that have been executing an INSERT into `events` for a second or longer. The server counts whole
 * seconds, and the text of a session may contain the other statements of its packet.
 */
export function selectLongInserts(db: Reader) {
  return db
    .selectFrom(sql<{ id: number }>`information_schema.processlist`.as('sessions'))
    .select('sessions.id')
    .where(sql<boolean>`db = database() and id <> connection_id() and command in ('Query', 'Execute')`)
    .where(sql<boolean>`time >= 1 and info like '%insert%events%'`)
}

/** Whether the id of an event is in one of the ranges. */
export const isWithin = (ranges: readonly IdRange[]) => (eb: ExpressionBuilder<Tables, 'events'>) =>
  eb.or(ranges.map(({ from, to }) => eb.and([eb('id', '>=', from), eb('id', '<=', to)])))

export function selectLastId(db: Reader) {
  return db.selectFrom('events').select('id').orderBy('id', 'desc').limit(1)
}

/** One statement, so that both values are of one moment. */
export function selectRetainedEvents(db: Reader) {
  return db
    .selectFrom('outbox_cursors')
    .select('position as horizon')
    .select((eb) =>
      eb
        .selectFrom('events')
        .select(({ fn }) => fn.min('id').as('id'))
        .as('oldestId'),
    )
    .where('name', '=', HORIZON)
}

/** The relay that is furthest behind. */
export function selectSlowestRelay(db: Reader) {
  return db
    .selectFrom('outbox_cursors')
    .select(['name', 'position'])
    .where('name', 'like', `${RELAY_PREFIX}%`)
    .orderBy('position')
    .limit(1)
}

/** The oldest events above an id, and whether they are older than `retentionDays` on the clock of the database: 1 or 0. */
export function selectOldestEvents(
  db: Reader,
  { after, retentionDays, limit }: { after: number; retentionDays: number; limit: number },
) {
  return db
    .selectFrom('events')
    .select('id')
    .select(sql<number>`created_at < current_timestamp(3) - interval ${retentionDays} day`.as('isExpired'))
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
}

export function lockHorizon(tx: Tx) {
  return tx.selectFrom('outbox_cursors').select('position').where('name', '=', HORIZON).forUpdate()
}

export function advanceHorizon(tx: Tx, position: number) {
  return tx.updateTable('outbox_cursors').set({ position }).where('name', '=', HORIZON).where('position', '<', position)
}

export function deleteEventsWithin(tx: Tx, { after, throughId }: { after: number; throughId: number }) {
  return tx.deleteFrom('events').where('id', '>', after).where('id', '<=', throughId)
}

type TypeWithItems = {
  [Type in keyof EventPayloads]: 'items' extends keyof EventPayloads[Type] ? Type : never
}[keyof EventPayloads]

/** The types whose events concern products, although their key is the buyer. */
const TYPES_WITH_ITEMS = Object.keys({
  'order.paid': true,
  'order.refunded': true,
} satisfies Record<TypeWithItems, true>)

/**
 * Selects every event that concerns one of the topics. A product topic also selects sales of other products, because an
 * event's key is its first topic; the reader applies `topicsOf` to what it receives.
 */
export function selectEventsOfTopics(
  db: Reader,
  { after, throughId, topics, limit }: { after: number; throughId: number; topics: readonly string[]; limit: number },
) {
  return selectEvents(db)
    .where('id', '>', after)
    .where('id', '<=', throughId)
    .where((eb) =>
      eb.or([eb('key', 'in', topics), ...(topics.some(isProductTopic) ? [eb('type', 'in', TYPES_WITH_ITEMS)] : [])]),
    )
    .limit(limit)
}
