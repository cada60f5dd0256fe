import { decodeEvent } from '../../outbox/decode-event.ts'
import type { EventAuditRun, TableScans } from '../audit-run.ts'
import { format } from '../findings.ts'
import { type Chunk, isIn } from '../queries/chunk-queries.ts'
import { selectStockEvents } from '../queries/event-queries.ts'
import { selectStockChanges } from '../queries/state-queries.ts'

/** How far ahead the counterpart of a row or an event is looked for, after one of them is missing. */
const LOOK_AHEAD = 100

/** A change of stock, as a row or as an event states it. */
interface StockChange {
  id: number
  productId: number
  change: number
  /** Whether it is the first stock of the product. */
  isFirst: boolean
  at: Date
}

type ChangesByProduct = Map<number, StockChange[]>

/**
 * Compares the rows of `stock_changes` with their events. Both are written under the lock of the product's stock, so both have
 * the same order for each product. A range of products with more than `entriesMax` changes is split in two, and each half is
 * read again.
 */
export async function checkStockEvents(run: EventAuditRun, scans: TableScans): Promise<void> {
  const ranges: Chunk[] = [{ after: Number.MIN_SAFE_INTEGER, through: Number.MAX_SAFE_INTEGER }]
  for (let range = ranges.pop(); range; range = ranges.pop()) {
    const rows: ChangesByProduct = new Map()
    const events: ChangesByProduct = new Map()
    const middle =
      (await collect(run, rows, scans.stock_changes.chunks, (chunk) => readRows(run, chunk, range as Chunk))) ??
      (await collect(run, events, scans.events.chunks, (chunk) => readEvents(run, chunk, range as Chunk)))
    if (middle !== undefined) {
      ranges.push({ after: middle, through: range.through }, { after: range.after, through: middle })
      continue
    }
    for (const productId of new Set([...rows.keys(), ...events.keys()])) {
      compareChanges(run, rows.get(productId) ?? [], events.get(productId) ?? [])
    }
  }
}

/** Collects the changes of each product. Stops when there are too many, and returns the product at which to split. */
async function collect(
  { entriesMax, progress }: EventAuditRun,
  changes: ChangesByProduct,
  chunks: Chunk[],
  read: (chunk: Chunk) => Promise<StockChange[]>,
): Promise<number | undefined> {
  let entries = 0
  for (const chunk of chunks) {
    for (const change of await read(chunk)) {
      const ofProduct = changes.get(change.productId)
      if (ofProduct) ofProduct.push(change)
      else changes.set(change.productId, [change])
      entries++
    }
    if (entries > entriesMax && changes.size > 1) {
      return [...changes.keys()].toSorted((a, b) => a - b)[Math.floor((changes.size - 1) / 2)]
    }
    progress('stock changes', chunk.through)
  }
  return undefined
}

async function readRows({ db }: EventAuditRun, chunk: Chunk, products: Chunk): Promise<StockChange[]> {
  const rows = await selectStockChanges(db, chunk, products).execute()
  return rows.map(({ reason, createdAt, ...row }) => ({ ...row, isFirst: reason === 'STOCKED', at: createdAt }))
}

async function readEvents({ db, duplicates }: EventAuditRun, chunk: Chunk, products: Chunk): Promise<StockChange[]> {
  const rows = await selectStockEvents(db, chunk).execute()
  return rows.flatMap((row): StockChange[] => {
    const { event } = decodeEvent(row)
    if (!event || !('productId' in event.payload) || duplicates.has(event.id)) return []
    const { id, payload, type, at } = event
    const { productId } = payload
    if (!isIn(products, productId)) return []
    const isFirst = type === 'product.created'
    return [{ id, productId, change: 'change' in payload ? payload.change : payload.stock, isFirst, at }]
  })
}

function compareChanges(run: EventAuditRun, rows: StockChange[], events: StockChange[]): void {
  const { horizon, findings } = run
  // Old rows have no events if those were deleted on purpose.
  let row = rows.findIndex(({ at }, index) => index >= rows.length - events.length || at >= horizon.requiredSince)
  if (row === -1) row = rows.length
  let event = 0
  findings.addRows('told', rows.slice(row).filter(({ isFirst }) => !isFirst).length)
  while (row < rows.length || event < events.length) {
    const skipped = stepsToMatch(rows, row, events, event)
    for (const missing of rows.slice(row, row + skipped.rows)) reportRowWithoutEvent(run, missing)
    for (const extra of events.slice(event, event + skipped.events)) reportEventWithoutRow(run, extra)
    row += skipped.rows
    event += skipped.events
    const [found, stated] = [rows[row++], events[event++]]
    if (!found || !stated) continue
    if (!isSameChange(found, stated)) reportDifference(run, found, stated)
    if (found.at.getTime() !== stated.at.getTime()) reportTime(run, found, stated)
  }
}

/** How many rows or events to skip until a row and an event are the same change; none if no such pair is near. */
function stepsToMatch(rows: StockChange[], row: number, events: StockChange[], event: number) {
  const matches = (r: number, e: number) => {
    const [found, stated] = [rows[r], events[e]]
    return found !== undefined && stated !== undefined && isSameChange(found, stated)
  }
  if (row >= rows.length) return { rows: 0, events: events.length - event }
  if (event >= events.length) return { rows: rows.length - row, events: 0 }
  for (let steps = 0; steps <= LOOK_AHEAD; steps++) {
    if (matches(row + steps, event)) return { rows: steps, events: 0 }
    if (matches(row, event + steps)) return { rows: 0, events: steps }
  }
  return { rows: 0, events: 0 }
}

const isSameChange = (a: StockChange, b: StockChange) => a.change === b.change && a.isFirst === b.isFirst

/** `product.created` is not reported here, because it is required of every product. */
function reportRowWithoutEvent({ findings }: EventAuditRun, { id, isFirst }: StockChange): void {
  if (isFirst) return
  const ids = { type: 'product.restocked', stock_change_id: id }
  findings.addFinding('told', { what: 'events', ids, expected: '1 event', found: 'none' })
}

function reportEventWithoutRow({ findings }: EventAuditRun, { id, productId, change }: StockChange): void {
  findings.addFinding('events', {
    what: 'events',
    ids: { id, product_id: productId },
    expected: 'a row in stock_changes',
    found: `none with change ${format(change)}`,
  })
}

function reportTime({ findings }: EventAuditRun, row: StockChange, event: StockChange): void {
  findings.addFinding('times', {
    what: 'stock_changes',
    ids: { id: row.id },
    expected: `created_at ${format(event.at)}, as in event ${event.id}`,
    found: `created_at ${format(row.at)}`,
  })
}

function reportDifference({ findings }: EventAuditRun, row: StockChange, event: StockChange): void {
  const kind = ({ isFirst, change }: StockChange) => `${isFirst ? 'first stock' : 'change'} ${change}`
  findings.addFinding('events', {
    what: 'events',
    ids: { id: event.id, stock_change_id: row.id },
    expected: kind(row),
    found: kind(event),
  })
}
