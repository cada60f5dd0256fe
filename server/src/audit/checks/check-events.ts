import type { AuditRun, TableScans } from '../audit-run.ts'
import { format } from '../findings.ts'
import { IdBitmap } from '../id-bitmap.ts'
import * as queries from '../queries/event-queries.ts'
import type { Chunk } from '../queries/table-scan.ts'

/** What the events tell, as sets of ids: no index leads from a row to its events. */
interface Told {
  once: Map<queries.Once, IdBitmap>
  /** How many events there are too many of, by row. */
  again: Map<string, { type: queries.Once; id: number; more: number }>
}

type Happened = { block: number } & Partial<Record<queries.Once, number>>

/** Holds each event against the rows that it tells of, and each row that has an event against the events. */
export async function checkEvents(survey: AuditRun, { events, point_histories, orders }: TableScans): Promise<void> {
  const { db, findings, progress } = survey
  const told: Told = { once: new Map(queries.ONCE.map((type) => [type, new IdBitmap()])), again: new Map() }
  findings.addRows('events', events.rows)
  for (const chunk of events.chunks) {
    await reportWrongEvents(survey, chunk)
    await collectEventIds(survey, chunk, told)
    progress('events', chunk.upTo)
  }
  for (const chunk of point_histories.chunks) {
    reportMissingEvents(survey, told, await queries.selectCharges(db, chunk).execute())
  }
  for (const chunk of orders.chunks)
    reportMissingEvents(survey, told, await queries.selectHappened(db, chunk).execute())
  for (const { type, id, more } of told.again.values()) tellTimes(survey, type, id, String(1 + more))
}

async function reportWrongEvents({ db, findings }: AuditRun, chunk: Chunk): Promise<void> {
  for (const event of await queries.selectUntrue(db, chunk).execute()) {
    const { id, type, key, payload, useType, point, balance, walletOf, productId, removedAt } = event
    const { status, total, userId, lines } = event
    const about = type.startsWith('points.')
      ? `a ${format(useType)} of ${format(point)} by user ${format(walletOf)}, balance ${format(balance)}`
      : type.startsWith('order.')
        ? `an order of user ${format(userId)}, total ${format(total)}, status ${format(status)}: ${format(lines)}`
        : `product ${format(productId)}, removed at ${format(removedAt)}`
    const words = typeof payload === 'string' ? payload : JSON.stringify(payload)
    findings.addFinding('events', {
      what: 'events',
      ids: { id },
      expected: about,
      found: `${type} to ${key}: ${words}`,
    })
  }
}

async function collectEventIds({ db }: AuditRun, chunk: Chunk, { once, again }: Told): Promise<void> {
  const toldAgain = (type: queries.Once, id: number, times: number) => {
    const known = again.get(`${type} ${id}`) ?? { type, id, more: 0 }
    again.set(`${type} ${id}`, { ...known, more: known.more + times })
  }
  let [times, rows] = [0, 0]
  for (const block of await queries.selectTold(db, chunk).execute()) {
    times += block.times
    rows += countBits(block.bits)
    for (const id of once.get(block.type)?.add(block.block, block.bits) ?? []) toldAgain(block.type, id, 1)
  }
  if (times === rows) return
  for (const row of await queries.selectToldTwice(db, chunk).execute()) toldAgain(row.type, row.about, row.times - 1)
}

function countBits(bits: number): number {
  let count = 0
  for (let rest = bits; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count++
  return count
}

function reportMissingEvents(survey: AuditRun, { once }: Told, blocks: Happened[]): void {
  for (const happened of blocks) {
    for (const type of queries.ONCE) {
      const bits = happened[type] ?? 0
      survey.findings.addRows('told', countBits(bits))
      for (const id of once.get(type)?.missing(happened.block, bits) ?? []) tellTimes(survey, type, id, 'none')
    }
  }
}

function tellTimes({ findings }: AuditRun, type: queries.Once, id: number, found: string): void {
  const ids = type === 'points.charged' ? { history_id: id } : { order_id: id }
  findings.addFinding('told', { what: 'events', ids: { type, ...ids }, expected: '1', found })
}
