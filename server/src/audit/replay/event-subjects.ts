import { IdBitmap } from '../id-bitmap.ts'
import { REQUIRED_EVENT_TYPES, type RequiredEvents, type RequiredEventType } from '../queries/event-queries.ts'

/** The name by which a payload refers to the row that has one event of the type. */
const SUBJECTS: Record<RequiredEventType, { field: string; column: string }> = {
  'points.charged': { field: 'historyId', column: 'history_id' },
  'order.placed': { field: 'orderId', column: 'order_id' },
  'order.paid': { field: 'orderId', column: 'order_id' },
  'order.refunded': { field: 'orderId', column: 'order_id' },
  'order.cancelled': { field: 'orderId', column: 'order_id' },
  'product.created': { field: 'productId', column: 'product_id' },
  'product.removed': { field: 'productId', column: 'product_id' },
}

/** For each type, the types of events of the same row that cannot precede it. */
const CANNOT_PRECEDE: Partial<Record<RequiredEventType, RequiredEventType[]>> = {
  'order.placed': ['order.paid', 'order.refunded', 'order.cancelled'],
  'order.paid': ['order.refunded', 'order.cancelled'],
  'order.refunded': ['order.cancelled'],
  'order.cancelled': ['order.paid', 'order.refunded'],
  'product.created': ['product.removed'],
}

/** The row of which an event is the only one of its type. */
export interface Subject {
  type: RequiredEventType
  id: number
}

/** The ids of the rows that have an event. They are in memory because no index leads from a row to its events. */
export class EventSubjects {
  readonly #ids = new Map(REQUIRED_EVENT_TYPES.map((type) => [type, new IdBitmap()]))

  /** Adds an event. Returns false if the row already has one of the type. */
  add({ type, id }: Subject): boolean {
    return this.#ids.get(type)?.add(id) ?? false
  }

  /** The types of events of the same row that were added and cannot precede this one. */
  wronglyPreceding({ type, id }: Subject): RequiredEventType[] {
    return (CANNOT_PRECEDE[type] ?? []).filter((other) => this.#ids.get(other)?.has(id))
  }

  /** The rows of a block that must have an event and have none, and the number of rows that must have one. */
  *missing(required: RequiredEvents): Generator<{ type: RequiredEventType; required: number; ids: number[] }> {
    for (const type of REQUIRED_EVENT_TYPES) {
      const bits = required[type] ?? 0
      if (bits !== 0) yield { type, ...(this.#ids.get(type) as IdBitmap).missing(required.block, bits) }
    }
  }
}

/** The row of which the event must be the only one of its type, also for a payload that is otherwise invalid. */
export function subjectOf(type: string, payload: Readonly<Record<string, unknown>>): Subject | undefined {
  const subject = SUBJECTS[type as RequiredEventType]
  const id = subject && payload[subject.field]
  return Number.isSafeInteger(id) && (id as number) > 0
    ? { type: type as RequiredEventType, id: id as number }
    : undefined
}

/** The columns that identify the subject in a finding. */
export function subjectIds({ type, id }: Subject): Record<string, number | string> {
  return { type, [SUBJECTS[type].column]: id }
}
