import type { AuditRun, TableScans } from '../audit-run.ts'
import { type Chunk, intersect } from '../queries/chunk-queries.ts'
import * as queries from '../queries/sale-queries.ts'

const HOUR_MS = 3_600_000

/** The sales of a product in an hour: the count in `product_sales`, and the quantity in order lines. */
interface HourlySales {
  recorded: number
  sold: number
}

/** Sales by product and hour. The hour is null for an order without `paid_at`. */
class SalesByHour {
  readonly products = new Map<number, Map<number | null, HourlySales>>()
  entries = 0

  hour(productId: number, hour: number | null): HourlySales {
    const hours = this.products.get(productId) ?? new Map<number | null, HourlySales>()
    if (hours.size === 0) this.products.set(productId, hours)
    const existing = hours.get(hour)
    if (existing) return existing
    const sales = { recorded: 0, sold: 0 }
    hours.set(hour, sales)
    this.entries++
    return sales
  }

  sold(productId: number): number {
    const hours = this.products.get(productId)?.values() ?? []
    return [...hours].reduce((sum, { sold }) => sum + sold, 0)
  }
}

/**
 * Compares the stock, the sales volume and the hourly sales of each product with the lines of paid orders. Lines are
 * read by order and added up here for a range of products. A range with more than `entriesMax` entries is split in two,
 * and each half is read again.
 */
export async function checkSales(run: AuditRun, scans: TableScans): Promise<void> {
  for (const check of ['stock', 'sales'] as const) run.findings.addRows(check, scans.products.rows)
  const ranges: Chunk[] = [{ after: Number.MIN_SAFE_INTEGER, through: Number.MAX_SAFE_INTEGER }]
  for (let range = ranges.pop(); range; range = ranges.pop()) {
    const sales = new SalesByHour()
    const middle = await addUpSales(run, scans, range, sales)
    if (middle !== undefined) {
      ranges.push({ after: middle, through: range.through }, { after: range.after, through: middle })
      continue
    }
    checkHours(run, sales)
    for (const chunk of intersect(range, scans.products.chunks)) await checkStock(run, chunk, sales)
  }
}

/** Stops when there are too many entries, and returns the product at which to split the range. */
async function addUpSales(
  { db, entriesMax, progress }: AuditRun,
  { orders, product_sales: hourlySales }: TableScans,
  range: Chunk,
  sales: SalesByHour,
): Promise<number | undefined> {
  const hasTooMany = () => sales.entries > entriesMax && sales.products.size > 1
  for (const chunk of intersect(range, hourlySales.chunks)) {
    for (const { productId, hour, count } of await queries.selectHourlySales(db, chunk).execute()) {
      sales.hour(productId, hour).recorded += count
    }
    if (hasTooMany()) return medianProduct(sales)
  }
  for (const chunk of orders.chunks) {
    for (const { productId, hour, sold } of await queries.selectSoldQuantities(db, chunk, range).execute()) {
      sales.hour(productId, hour).sold += Number(sold)
    }
    if (hasTooMany()) return medianProduct(sales)
    progress('sales', chunk.through)
  }
  return undefined
}

function medianProduct({ products }: SalesByHour): number | undefined {
  return [...products.keys()].toSorted((a, b) => a - b)[Math.floor((products.size - 1) / 2)]
}

function checkHours({ findings }: AuditRun, { entries, products }: SalesByHour): void {
  findings.addRows('hours', entries)
  for (const [productId, hours] of products) {
    for (const [hour, { recorded, sold }] of hours) {
      if (recorded === sold) continue
      const time = hour === null ? 'null' : new Date(hour * HOUR_MS).toISOString()
      findings.addFinding('hours', {
        what: 'product_sales',
        ids: { product_id: productId, hour: time },
        expected: `count ${sold}`,
        found: `count ${recorded}`,
      })
    }
  }
}

async function checkStock({ db, findings }: AuditRun, products: Chunk, sales: SalesByHour): Promise<void> {
  for (const { id, salesVolume, stock, stocked } of await queries.selectStockTotals(db, products).execute()) {
    const sold = sales.sold(id)
    if (salesVolume !== sold) {
      const [expected, found] = [`sales_volume ${sold}`, `sales_volume ${salesVolume}`]
      findings.addFinding('sales', { what: 'products', ids: { id }, expected, found })
    }
    const remaining = Number(stocked) - sold
    if (stock !== null && stock !== remaining) {
      const expected = `stock ${remaining} (${stocked} stocked - ${sold} sold)`
      findings.addFinding('stock', { what: 'stock', ids: { product_id: id }, expected, found: `stock ${stock}` })
    }
  }
}
