import { type DecodedEvent, decodeEvent, type EventRow, payloadOf } from '../../outbox/decode-event.ts'
import type { StoredEvent } from '../../outbox/events.ts'
import type { EventAuditRun, TableScans } from '../audit-run.ts'
import type { Chunk } from '../queries/chunk-queries.ts'
import * as queries from '../queries/event-queries.ts'
import { EventReplay, type ReplayRange } from '../replay/event-replay.ts'
import { EventSubjects, type Subject, subjectIds, subjectOf } from '../replay/event-subjects.ts'
import { checkStates } from './check-states.ts'
import { describeRows, matchesRows, wrongTimes } from './compare-event.ts'
import { type LinesByOrder, loadDescribedRows, loadLines } from './described-rows.ts'

interface ReadEvent {
  row: EventRow
  decoded: DecodedEvent
}

/**
 * Replays all events in the order of their ids, compares each event with the rows that it describes, and each row that must
 * have an event with the events. The wallets and the products that do not fit in memory at once are replayed in turns.
 */
export async function checkEvents(run: EventAuditRun, scans: TableScans): Promise<void> {
  const { db, findings, progress } = run
  for (const check of ['events', 'sequence', 'times'] as const) findings.addRows(check, scans.events.rows)
  findings.addRows('offers', scans.order_products.rows)
  const subjects = new EventSubjects()
  for (const [turn, range] of replayRanges(run, scans).entries()) {
    const replay = new EventReplay(findings, range, run.horizon.isBeginning ? 'beginning' : 'horizon')
    for (const chunk of scans.events.chunks) {
      const rows = await queries.selectEvents(db, chunk).execute()
      const read = rows.map((row): ReadEvent => ({ row, decoded: decodeEvent(row) }))
      const valid = read.flatMap(({ decoded }) => decoded.event ?? [])
      const lines = await loadLines(db, valid)
      if (turn === 0) {
        for (const event of read) reportInvalid(run, subjects, event)
        await compareWithRows(run, valid, lines)
      }
      replayEvents(run, replay, read, lines)
      progress('events', chunk.through)
    }
    await checkStates(run, scans, range, replay)
  }
  await reportMissing(run, scans, subjects)
}

function replayRanges({ subjectsMax, chunkSize }: EventAuditRun, { users, products }: TableScans): ReplayRange[] {
  const chunksMax = Math.max(1, Math.floor(subjectsMax / chunkSize))
  const [userRanges, productRanges] = [mergeChunks(users.chunks, chunksMax), mergeChunks(products.chunks, chunksMax)]
  const none = { after: Number.MAX_SAFE_INTEGER, through: Number.MAX_SAFE_INTEGER }
  return Array.from({ length: Math.max(userRanges.length, productRanges.length) }, (_, index) => ({
    users: userRanges[index] ?? none,
    products: productRanges[index] ?? none,
  }))
}

/** Ranges of at most `chunksMax` chunks, which together contain every id. */
function mergeChunks(chunks: Chunk[], chunksMax: number): Chunk[] {
  const ends = chunks.filter((_, index) => (index + 1) % chunksMax === 0).map(({ through }) => through)
  const bounds = [Number.MIN_SAFE_INTEGER, ...ends.slice(0, Math.ceil(chunks.length / chunksMax) - 1)]
  return bounds.map((after, index) => ({ after, through: bounds[index + 1] ?? Number.MAX_SAFE_INTEGER }))
}

/** Reports an event whose payload is invalid, that is the second of its kind, or that precedes an earlier change. */
function reportInvalid(
  { findings, duplicates }: EventAuditRun,
  subjects: EventSubjects,
  { row, decoded }: ReadEvent,
): void {
  const { id, type, key, payload } = row
  if (!decoded.event) {
    const found = `${type} with key ${key}: ${payload.slice(0, FOUND_LENGTH_MAX)}`
    findings.addFinding('events', { what: 'events', ids: { id }, expected: decoded.expected, found })
  }
  const subject = subjectOf(type, payloadOf(decoded))
  if (!subject) return
  const ids = { id, ...subjectIds(subject) }
  const preceding = subjects.wronglyPreceding(subject)
  if (!subjects.add(subject)) {
    duplicates.add(id)
    findings.addFinding('told', { what: 'events', ids, expected: '1 event', found: 'another event with a smaller id' })
  } else if (preceding.length > 0) {
    const expected = `${type} before ${preceding.join(' and ')}`
    findings.addFinding('sequence', {
      what: 'events',
      ids,
      expected,
      found: `${type} after ${preceding.join(' and ')}`,
    })
  }
}

const FOUND_LENGTH_MAX = 1_000

async function compareWithRows(
  { db, findings }: EventAuditRun,
  events: StoredEvent[],
  lines: LinesByOrder,
): Promise<void> {
  const described = await loadDescribedRows(db, events, lines)
  for (const event of events) {
    const { id, type, payload } = event
    if (!matchesRows(event, described)) {
      findings.addFinding('events', {
        what: 'events',
        ids: { id },
        expected: describeRows(event, described),
        found: `${type}: ${JSON.stringify(payload)}`,
      })
    }
    for (const finding of wrongTimes(event, described)) findings.addFinding('times', finding)
  }
}

function replayEvents(
  { duplicates }: EventAuditRun,
  replay: EventReplay,
  events: ReadEvent[],
  lines: LinesByOrder,
): void {
  for (const { row, decoded } of events) {
    if (duplicates.has(row.id)) continue
    if (decoded.event) replay.apply(decoded.event, lines)
    else replay.skip(subjectsOf(payloadOf(decoded), row.key))
  }
}

/** The user and the products that an invalid payload and its key name. */
function subjectsOf({ userId, productId, items }: Record<string, unknown>, key: string) {
  const [, kind, id] = /^(user|product):(\d+)$/.exec(key) ?? []
  const itemIds = Array.isArray(items) ? items.map((item: { productId?: unknown } | null) => item?.productId) : []
  const ids = (...values: unknown[]) => values.filter((value): value is number => Number.isSafeInteger(value))
  return {
    userIds: ids(userId, kind === 'user' ? Number(id) : undefined),
    productIds: ids(productId, ...itemIds, kind === 'product' ? Number(id) : undefined),
  }
}

async function reportMissing(run: EventAuditRun, scans: TableScans, subjects: EventSubjects): Promise<void> {
  const { db, horizon } = run
  const selects = [
    { chunks: scans.point_histories.chunks, select: queries.selectRequiredChargeEvents },
    { chunks: scans.orders.chunks, select: queries.selectRequiredOrderEvents },
    { chunks: scans.products.chunks, select: queries.selectRequiredProductEvents },
  ]
  for (const { chunks, select } of selects) {
    for (const chunk of chunks) {
      const blocks: queries.RequiredEvents[] = await select(db, chunk, horizon.requiredSince).execute()
      for (const block of blocks) reportMissingOf(run, subjects, block)
    }
  }
}

function reportMissingOf({ findings }: EventAuditRun, subjects: EventSubjects, block: queries.RequiredEvents): void {
  for (const { type, required, ids } of subjects.missing(block)) {
    findings.addRows('told', required)
    for (const id of ids) {
      const subject: Subject = { type, id }
      findings.addFinding('told', { what: 'events', ids: subjectIds(subject), expected: '1 event', found: 'none' })
    }
  }
}
