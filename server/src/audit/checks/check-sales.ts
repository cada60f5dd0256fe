import type { AuditRun, TableScans } from '../audit-run.ts'
import * as queries from '../queries/sale-queries.ts'
import type { Chunk } from '../queries/table-scan.ts'

const HOUR_MS = 3_600_000

interface Hour {
  rolledUp: number
  sold: number
}

/** By product, then by hour; null is the hour of an order that has no time of payment. */
class Sales {
  readonly products = new Map<number, Map<number | null, Hour>>()
  entries = 0

  hour(productId: number, hour: number | null): Hour {
    const hours = this.products.get(productId) ?? new Map<number | null, Hour>()
    if (hours.size === 0) this.products.set(productId, hours)
    const known = hours.get(hour)
    if (known) return known
    const fresh = { rolledUp: 0, sold: 0 }
    hours.set(hour, fresh)
    this.entries++
    return fresh
  }

  sold(productId: number): number {
    const hours = this.products.get(productId)?.values() ?? []
    return [...hours].reduce((sum, { sold }) => sum + sold, 0)
  }
}

/**
 * Holds the stock, the sales volume and the hours of each product against the paid lines. Lines are read by order, and
 * added up here for a range of products; a range whose sums outgrow their bound is halved, and each half read anew.
 */
export async function checkSales(survey: AuditRun, extents: TableScans): Promise<void> {
  for (const check of ['stock', 'sales'] as const) survey.findings.addRows(check, extents.products.rows)
  const ranges: Chunk[] = [{ after: Number.MIN_SAFE_INTEGER, upTo: Number.MAX_SAFE_INTEGER }]
  for (let range = ranges.pop(); range; range = ranges.pop()) {
    const sales = new Sales()
    const middle = await addUp(survey, extents, range, sales)
    if (middle !== undefined) {
      ranges.push({ after: middle, upTo: range.upTo }, { after: range.after, upTo: middle })
      continue
    }
    tellHours(survey, sales)
    for (const chunk of partsIn(range, extents.products.chunks)) await checkStock(survey, chunk, sales)
  }
}

/** Returns a product in the middle of those seen so far when there is more than may be kept. */
async function addUp(
  { db, entriesMax, progress }: AuditRun,
  { orders, product_sales: rollup }: TableScans,
  range: Chunk,
  sales: Sales,
): Promise<number | undefined> {
  const isTooMuch = () => sales.entries > entriesMax && sales.products.size > 1
  for (const chunk of partsIn(range, rollup.chunks)) {
    for (const { productId, hour, count } of await queries.selectRollup(db, chunk).execute()) {
      sales.hour(productId, hour).rolledUp += count
    }
    if (isTooMuch()) return middleOf(sales)
  }
  for (const chunk of orders.chunks) {
    for (const { productId, hour, sold } of await queries.selectSold(db, chunk, range).execute()) {
      sales.hour(productId, hour).sold += Number(sold)
    }
    if (isTooMuch()) return middleOf(sales)
    progress('sales', chunk.upTo)
  }
  return undefined
}

function middleOf({ products }: Sales): number | undefined {
  return [...products.keys()].toSorted((a, b) => a - b)[Math.floor((products.size - 1) / 2)]
}

/** The parts of chunks that lie in a range. */
function partsIn(range: Chunk, chunks: Chunk[]): Chunk[] {
  return chunks
    .map(({ after, upTo }) => ({ after: Math.max(after, range.after), upTo: Math.min(upTo, range.upTo) }))
    .filter(({ after, upTo }) => after < upTo)
}

function tellHours({ findings }: AuditRun, { entries, products }: Sales): void {
  findings.addRows('hours', entries)
  for (const [productId, hours] of products) {
    for (const [hour, { rolledUp, sold }] of hours) {
      if (rolledUp === sold) continue
      const time = hour === null ? 'none' : new Date(hour * HOUR_MS).toISOString()
      const ids = { product_id: productId, hour: time }
      findings.addFinding('hours', {
        what: 'product_sales',
        ids,
        expected: `count ${sold}`,
        found: `count ${rolledUp}`,
      })
    }
  }
}

async function checkStock({ db, findings }: AuditRun, products: Chunk, sales: Sales): Promise<void> {
  for (const { id, salesVolume, stock, stocked } of await queries.selectStockBooks(db, products).execute()) {
    const sold = sales.sold(id)
    if (salesVolume !== sold) {
      const [expected, found] = [`sales_volume ${sold}`, `sales_volume ${salesVolume}`]
      findings.addFinding('sales', { what: 'products', ids: { id }, expected, found })
    }
    const left = Number(stocked) - sold
    if (stock !== null && stock !== left) {
      const expected = `stock ${left}, which is ${stocked} stocked less ${sold} sold`
      findings.addFinding('stock', { what: 'stock', ids: { product_id: id }, expected, found: `stock ${stock}` })
    }
  }
}
