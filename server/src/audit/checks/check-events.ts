import type { AuditRun, TableScans } from '../audit-run.ts'
import { format } from '../findings.ts'
import { countBits, IdBitmap } from '../id-bitmap.ts'
import type { Chunk } from '../queries/chunk-queries.ts'
import * as queries from '../queries/event-queries.ts'

/** The ids of the rows that have an event. They are in memory because no index leads from a row to its events. */
interface EventIds {
  byType: Map<queries.RequiredEventType, IdBitmap>
  /** The rows that have more than one event of a type, by type and id. */
  duplicates: Map<string, { type: queries.RequiredEventType; id: number; extra: number }>
}

/** For each type, the rows of a block that must have an event of that type, as bits. */
type RequiredEvents = { block: number } & Partial<Record<queries.RequiredEventType, number>>

/** Compares each event with the rows that it describes, and each row that must have an event with the events. */
export async function checkEvents(run: AuditRun, { events, point_histories, orders }: TableScans): Promise<void> {
  const { db, findings, progress } = run
  const eventIds: EventIds = {
    byType: new Map(queries.REQUIRED_EVENT_TYPES.map((type) => [type, new IdBitmap()])),
    duplicates: new Map(),
  }
  findings.addRows('events', events.rows)
  for (const chunk of events.chunks) {
    await reportWrongEvents(run, chunk)
    await collectEventIds(run, chunk, eventIds)
    progress('events', chunk.through)
  }
  for (const chunk of point_histories.chunks) {
    reportMissingEvents(run, eventIds, await queries.selectRequiredChargeEvents(db, chunk).execute())
  }
  for (const chunk of orders.chunks) {
    reportMissingEvents(run, eventIds, await queries.selectRequiredOrderEvents(db, chunk).execute())
  }
  for (const { type, id, extra } of eventIds.duplicates.values()) {
    addEventCount(run, type, id, `${1 + extra} events`)
  }
}

async function reportWrongEvents({ db, findings }: AuditRun, chunk: Chunk): Promise<void> {
  for (const event of await queries.selectWrongEvents(db, chunk).execute()) {
    const { id, type, key, payload } = event
    const json = typeof payload === 'string' ? payload : JSON.stringify(payload)
    findings.addFinding('events', {
      what: 'events',
      ids: { id },
      expected: describeRow(event),
      found: `${type} with key ${key}: ${json}`,
    })
  }
}

/** Describes the row that an event is about; the columns of a row that does not exist are null. */
function describeRow(event: Awaited<ReturnType<ReturnType<typeof queries.selectWrongEvents>['execute']>>[number]) {
  const { type, useType, point, balance, walletUserId, status, total, userId, lines, productId, deletedAt } = event
  if (type.startsWith('points.')) {
    return `a ${format(useType)} row of ${format(point)} for user ${format(walletUserId)}, balance ${format(balance)}`
  }
  if (type.startsWith('order.')) {
    return `an order of user ${format(userId)}, total ${format(total)}, status ${format(status)}: ${format(lines)}`
  }
  return `product ${format(productId)}, deleted_at ${format(deletedAt)}`
}

async function collectEventIds({ db }: AuditRun, chunk: Chunk, { byType, duplicates }: EventIds): Promise<void> {
  const addDuplicate = (type: queries.RequiredEventType, id: number, extra: number) => {
    const existing = duplicates.get(`${type} ${id}`) ?? { type, id, extra: 0 }
    duplicates.set(`${type} ${id}`, { ...existing, extra: existing.extra + extra })
  }
  let [events, rows] = [0, 0]
  for (const { type, block, bits, count } of await queries.selectEventSubjects(db, chunk).execute()) {
    events += count
    rows += countBits(bits)
    for (const id of byType.get(type)?.add(block, bits) ?? []) addDuplicate(type, id, 1)
  }
  if (events === rows) return
  for (const { type, subject, count } of await queries.selectRepeatedSubjects(db, chunk).execute()) {
    addDuplicate(type, subject, count - 1)
  }
}

function reportMissingEvents(run: AuditRun, { byType }: EventIds, blocks: RequiredEvents[]): void {
  for (const required of blocks) {
    for (const type of queries.REQUIRED_EVENT_TYPES) {
      const bits = required[type] ?? 0
      run.findings.addRows('told', countBits(bits))
      for (const id of byType.get(type)?.missing(required.block, bits) ?? []) addEventCount(run, type, id, 'none')
    }
  }
}

function addEventCount({ findings }: AuditRun, type: queries.RequiredEventType, id: number, found: string): void {
  const ids = type === 'points.charged' ? { history_id: id } : { order_id: id }
  findings.addFinding('told', { what: 'events', ids: { type, ...ids }, expected: '1 event', found })
}
