import type { EventAuditRun, TableScans } from '../audit-run.ts'
import { format } from '../findings.ts'
import { intersect } from '../queries/chunk-queries.ts'
import * as queries from '../queries/state-queries.ts'
import type { EventReplay, ReplayRange } from '../replay/event-replay.ts'

type WalletRow = Awaited<ReturnType<ReturnType<typeof queries.selectWalletStates>['execute']>>[number]
type ProductRow = Awaited<ReturnType<ReturnType<typeof queries.selectProductStates>['execute']>>[number]

/** Compares the wallets and the products of a range with the state that the replay of all events gives. */
export async function checkStates(
  run: EventAuditRun,
  { users, products }: TableScans,
  range: ReplayRange,
  replay: EventReplay,
): Promise<void> {
  for (const chunk of intersect(range.users, users.chunks)) {
    const wallets = await queries.selectWalletStates(run.db, chunk).execute()
    for (const wallet of wallets) checkWallet(run, replay, wallet)
    run.findings.addRows('states', wallets.length)
  }
  for (const chunk of intersect(range.products, products.chunks)) {
    const rows = await queries.selectProductStates(run.db, chunk).execute()
    for (const product of rows) checkProduct(run, replay, product)
    run.findings.addRows('states', rows.length)
  }
}

function checkWallet({ findings, horizon }: EventAuditRun, replay: EventReplay, row: WalletRow): void {
  const { id, userId, balance, createdAt, updatedAt } = row
  const wallet = replay.wallets.get(userId)
  if (!wallet && !horizon.isBeginning) return
  const expected = wallet ? wallet.balance.expectedOf(balance) : balance === 0 ? undefined : 0
  const after = wallet ? `after event ${wallet.eventId}` : 'without any event'
  if (expected !== undefined) {
    const found = `point ${balance}`
    findings.addFinding('states', { what: 'points', ids: { id }, expected: `point ${expected} ${after}`, found })
  }
  const changedAt = wallet ? wallet.changedAt : createdAt.getTime()
  if (changedAt === undefined || changedAt === updatedAt.getTime()) return
  const expectedTime = `updated_at ${format(new Date(changedAt))} ${after}`
  const foundTime = `updated_at ${format(updatedAt)}`
  findings.addFinding('times', { what: 'points', ids: { id }, expected: expectedTime, found: foundTime })
}

function checkProduct({ findings }: EventAuditRun, replay: EventReplay, row: ProductRow): void {
  const product = replay.products.get(row.id)
  if (!product) return
  const { offer, isRemoved, sold, stock, eventId } = product
  const add = (what: 'products' | 'stock', expected: string, found: string) =>
    findings.addFinding('states', {
      what,
      ids: what === 'stock' ? { product_id: row.id } : { id: row.id },
      expected: `${expected} after event ${eventId}`,
      found,
    })
  if (offer && (offer.name !== row.name || offer.price !== row.price)) {
    add('products', `name ${offer.name}, price ${offer.price}`, `name ${row.name}, price ${row.price}`)
  }
  if ((offer !== undefined || isRemoved) && isRemoved !== (row.deletedAt !== null)) {
    add('products', isRemoved ? 'a time in deleted_at' : 'deleted_at null', `deleted_at ${format(row.deletedAt)}`)
  }
  if (sold !== undefined && sold !== row.salesVolume) {
    add('products', `sales_volume ${sold}`, `sales_volume ${row.salesVolume}`)
  }
  const expectedStock = row.stock === null ? undefined : stock.expectedOf(row.stock)
  if (expectedStock !== undefined) add('stock', `stock ${expectedStock}`, `stock ${row.stock}`)
}
