import type { Tx } from '@pointwise/db'
import type { EventPayloads } from './event-schemas.ts'
import { topicsOf } from './topics.ts'

export type Event = {
  [Type in keyof EventPayloads]: { type: Type; payload: EventPayloads[Type]; at: Date }
}[keyof EventPayloads]

/** What an event keeps of the request that caused it. */
export interface TraceContext {
  /** The header `traceparent` of W3C Trace Context; undefined for an in-process call and for a request without a valid one. */
  traceparent?: string | undefined
}

type NewEvent = Event & Required<TraceContext>

/** An event of the outbox. Events are delivered in the order of their ids. */
export type StoredEvent = Event & { id: number }

/**
 * Writes an event to the outbox. Call it as the last insert of the transaction that the event describes. An event
 * delays later events until its transaction commits, so inserting it last keeps the delay short.
 */
export async function insertEvent(tx: Tx, event: NewEvent): Promise<void> {
  await insertEvents(tx, [event]).execute()
}

/** Builds the statement of `insertEvent` for several events, for a transaction that sends statements in batches. */
export function insertEvents(tx: Tx, events: readonly NewEvent[]) {
  return tx.insertInto('events').values(
    events.map(({ type, payload, at, traceparent = null }) => ({
      type,
      key: topicsOf(payload)[0],
      payload: JSON.stringify(payload),
      created_at: at,
      published_at: null,
      traceparent,
    })),
  )
}

/** Parses a row that `insertEvents` wrote. MySQL returns the payload as an object, MariaDB as text. */
export function toStoredEvent(row: { id: number; type: string; payload: object | string; at: Date }): StoredEvent {
  const { id, type, payload, at } = row
  return { id, type, payload: typeof payload === 'string' ? JSON.parse(payload) : payload, at } as StoredEvent
}
