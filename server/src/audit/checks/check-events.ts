import type { Extents, Survey } from '../audit-run.ts'
import { inWords } from '../findings.ts'
import { IdSet } from '../id-bitmap.ts'
import * as queries from '../queries/event-queries.ts'
import type { Chunk } from '../queries/table-scan.ts'

/** What the events tell, as sets of ids: no index leads from a row to its events. */
interface Told {
  once: Map<queries.Once, IdSet>
  /** How many events there are too many of, by row. */
  again: Map<string, { type: queries.Once; id: number; more: number }>
}

type Happened = { block: number } & Partial<Record<queries.Once, number>>

/** Holds each event against the rows that it tells of, and each row that has an event against the events. */
export async function checkEvents(survey: Survey, { events, point_histories, orders }: Extents): Promise<void> {
  const { db, ledger, progress } = survey
  const told: Told = { once: new Map(queries.ONCE.map((type) => [type, new IdSet()])), again: new Map() }
  ledger.looked('events', events.rows)
  for (const chunk of events.chunks) {
    await tellUntrue(survey, chunk)
    await remember(survey, chunk, told)
    progress('events', chunk.upTo)
  }
  for (const chunk of point_histories.chunks) {
    tellUntold(survey, told, await queries.selectCharges(db, chunk).execute())
  }
  for (const chunk of orders.chunks) tellUntold(survey, told, await queries.selectHappened(db, chunk).execute())
  for (const { type, id, more } of told.again.values()) tellTimes(survey, type, id, String(1 + more))
}

async function tellUntrue({ db, ledger }: Survey, chunk: Chunk): Promise<void> {
  for (const event of await queries.selectUntrue(db, chunk).execute()) {
    const { id, type, key, payload, useType, point, balance, walletOf, productId, removedAt } = event
    const { status, total, userId, lines } = event
    const about = type.startsWith('points.')
      ? `a ${inWords(useType)} of ${inWords(point)} by user ${inWords(walletOf)}, balance ${inWords(balance)}`
      : type.startsWith('order.')
        ? `an order of user ${inWords(userId)}, total ${inWords(total)}, status ${inWords(status)}: ${inWords(lines)}`
        : `product ${inWords(productId)}, removed at ${inWords(removedAt)}`
    const words = typeof payload === 'string' ? payload : JSON.stringify(payload)
    ledger.broken('events', { what: 'events', ids: { id }, expected: about, found: `${type} to ${key}: ${words}` })
  }
}

async function remember({ db }: Survey, chunk: Chunk, { once, again }: Told): Promise<void> {
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

function tellUntold(survey: Survey, { once }: Told, blocks: Happened[]): void {
  for (const happened of blocks) {
    for (const type of queries.ONCE) {
      const bits = happened[type] ?? 0
      survey.ledger.looked('told', countBits(bits))
      for (const id of once.get(type)?.missing(happened.block, bits) ?? []) tellTimes(survey, type, id, 'none')
    }
  }
}

function tellTimes({ ledger }: Survey, type: queries.Once, id: number, found: string): void {
  const ids = type === 'points.charged' ? { history_id: id } : { order_id: id }
  ledger.broken('told', { what: 'events', ids: { type, ...ids }, expected: '1', found })
}
