import type { Reader, Tables } from '@pointwise/db'
import type { ExpressionBuilder } from 'kysely'
import type { Event } from './events.ts'
import type { IdRange } from './reorder-buffer.ts'

/** A row of the outbox. MariaDB gives its payload as text. */
export interface EventRow {
  id: number
  type: Event['type']
  payload: Event['payload'] | string
  at: Date
}

const selectEvents = (db: Reader) =>
  db.selectFrom('events').select(['id', 'type', 'payload', 'created_at as at']).orderBy('id').$castTo<EventRow>()

export function selectEventsAfter(db: Reader, { after, limit }: { after: number; limit: number }) {
  return selectEvents(db).where('id', '>', after).limit(limit)
}

export function selectEventsWithin(db: Reader, ranges: readonly IdRange[]) {
  return selectEvents(db).where(isWithin(ranges))
}

export function selectIdsWithin(db: Reader, ranges: readonly IdRange[]) {
  return db.selectFrom('events').select('id').where(isWithin(ranges)).orderBy('id')
}

const isWithin = (ranges: readonly IdRange[]) => (eb: ExpressionBuilder<Tables, 'events'>) =>
  eb.or(ranges.map(({ from, to }) => eb.and([eb('id', '>=', from), eb('id', '<=', to)])))

export function selectLastId(db: Reader) {
  return db.selectFrom('events').select('id').orderBy('id', 'desc').limit(1)
}

/** Which events a stream is about: those of these keys, and those of these types whatever their key. */
export interface TopicFilter {
  keys: string[]
  types: Event['type'][]
}

export function selectEventsAbout(
  db: Reader,
  { after, upTo, about, limit }: { after: number; upTo: number; about: TopicFilter; limit: number },
) {
  return selectEvents(db)
    .where('id', '>', after)
    .where('id', '<=', upTo)
    .where((eb) =>
      eb.or([eb('key', 'in', about.keys), ...(about.types.length > 0 ? [eb('type', 'in', about.types)] : [])]),
    )
    .limit(limit)
}
