import { randomUUID } from 'node:crypto'
import type { Reader, Tx } from '@pointwise/db'
import { insertEvent, type TraceContext } from '../outbox/events.ts'
import { Refusal } from '../refusals.ts'
import { toPage } from '../rpc/cursor.ts'
import * as stores from '../stores/service.ts'
import type { PageStart, ProductListCache } from './product-list-cache.ts'
import { PAGE_SIZE, type Product, type ProductPage } from './product-schemas.ts'
import * as queries from './queries.ts'

/** @throws Refusal product_not_found */
export async function get(db: Reader, productId: number): Promise<Product> {
  return queries
    .selectProduct(db, productId)
    .executeTakeFirstOrThrow(() => new Refusal('product_not_found', { productId }))
}

/** @throws Refusal product_not_found with the lowest id that is not listed */
export async function requireListed(db: Reader, productIds: number[]): Promise<void> {
  const listed = new Set((await queries.selectOffers(db, productIds).execute()).map(({ id }) => id))
  const missing = productIds.filter((id) => !listed.has(id))
  if (missing.length > 0) throw new Refusal('product_not_found', { productId: Math.min(...missing) })
}

/** The products of a page may be read from a replica. Whether a store exists is read from the primary. */
interface ListingReads {
  db: Reader
  readReplica: <T>(work: (replica: Reader) => Promise<T>) => Promise<T>
}

/**
 * A page of the listing, newest first. A page beyond the last one is empty. Products that another server added or removed a
 * moment ago may not be taken into account yet: see docs/caching.md.
 *
 * @throws Refusal store_not_found
 */
export async function list(
  { db, readReplica, productListCache: cache }: ListingReads & { productListCache: ProductListCache },
  { page, storeId }: { page: number; storeId?: number | undefined },
): Promise<ProductPage> {
  if (storeId !== undefined) await stores.get(db, storeId)
  const totalItems = await cache.count(storeId)
  const offset = (page - 1) * PAGE_SIZE
  const start = offset < totalItems ? await cache.pageStart(storeId, offset) : undefined
  const items = start ? await readReplica((replica) => readPage(replica, start, storeId)) : []
  return { items, page, pageSize: PAGE_SIZE, totalItems, totalPages: Math.ceil(totalItems / PAGE_SIZE) }
}

function readPage(db: Reader, start: PageStart, storeId: number | undefined): Promise<Product[]> {
  return queries.selectPage(db, { ...start, storeId, limit: PAGE_SIZE }).execute()
}

/**
 * A page of the listing by keyset: the last page is as fast as the first, and products that are added between two pages
 * shift nothing.
 *
 * @throws Refusal store_not_found
 */
export async function scroll(
  { db, readReplica }: ListingReads,
  { cursor, limit, storeId }: { cursor?: number | undefined; limit: number; storeId?: number | undefined },
) {
  if (storeId !== undefined) await stores.get(db, storeId)
  const rows = await readReplica((replica) =>
    queries.selectPageBefore(replica, { storeId, limit: limit + 1, before: cursor }).execute(),
  )
  return toPage(rows, limit)
}

interface CreateCall extends TraceContext {
  storeId: number
  name: string
  price: number
  stock: number
  now: Date
}

/** @throws Refusal store_not_found */
export async function create(tx: Tx, { now, traceparent, stock, ...product }: CreateCall): Promise<Product> {
  const store = await stores.get(tx, product.storeId)
  const { insertId } = await queries.insertProduct(tx, { ...product, createdAt: now }).executeTakeFirstOrThrow()
  const id = Number(insertId)
  await queries.insertStock(tx, { productId: id, stock }).execute()
  await queries
    .insertStockChange(tx, {
      productId: id,
      change: stock,
      reason: 'STOCKED',
      idempotencyKey: randomUUID(),
      createdAt: now,
    })
    .execute()
  const { name, price } = product
  const payload = { productId: id, name, price, stock }
  await insertEvent(tx, { type: 'product.created', payload, at: now, traceparent })
  return { id, storeName: store.name, ...product, stock, salesVolume: 0, createdAt: now }
}

interface UpdateCall extends TraceContext {
  productId: number
  name?: string | undefined
  price?: number | undefined
  now: Date
}

/**
 * Changes the fields that are given. Orders keep the name and the price of the moment they were placed.
 *
 * @throws Refusal product_not_found
 */
export async function update(tx: Tx, { productId, now, traceparent, ...given }: UpdateCall): Promise<Product> {
  const before = await lock(tx, productId)
  const { name = before.name, price = before.price } = given
  await queries.updateProduct(tx, { id: productId, name, price }).execute()
  const payload = { productId, name, price, stock: before.stock }
  await insertEvent(tx, { type: 'product.changed', payload, at: now, traceparent })
  return { ...before, name, price }
}

/**
 * Removes a product from every listing. Orders that contain it stay payable.
 *
 * @throws Refusal product_not_found
 */
export async function remove(
  tx: Tx,
  { productId, now, traceparent }: { productId: number; now: Date } & TraceContext,
): Promise<Product> {
  const product = await lock(tx, productId)
  await queries.updateRemoved(tx, productId, now).execute()
  const { name, price, stock } = product
  const payload = { productId, name, price, stock }
  await insertEvent(tx, { type: 'product.removed', payload, at: now, traceparent })
  return product
}

/**
 * Locks the stock of a product. Every transaction that changes a product or its stock takes this lock first, so neither
 * changes until the transaction ends.
 */
async function lock(tx: Tx, productId: number): Promise<Product> {
  await queries.lockStock(tx, [productId]).execute()
  return get(tx, productId)
}

interface RestockCall extends TraceContext {
  productId: number
  /** Signed: a negative quantity takes from the stock. */
  quantity: number
  idempotencyKey: string
  now: Date
}

/**
 * Adds to the stock, or takes from it, once for each idempotency key. A repeat changes nothing and returns the product as it
 * is now, also when it was removed meanwhile.
 *
 * @throws Refusal product_not_found, idempotency_key_reused, stock_insufficient
 */
export async function restock(tx: Tx, call: RestockCall): Promise<Product> {
  const { productId, quantity, idempotencyKey, now, traceparent } = call
  await queries.lockStock(tx, [productId]).execute()
  const earlier = await queries.selectStockChange(tx, productId, idempotencyKey).executeTakeFirst()
  if (earlier) {
    if (earlier.change !== quantity) throw new Refusal('idempotency_key_reused')
    return queries.selectProducts(tx).where('products.id', '=', productId).executeTakeFirstOrThrow()
  }
  const product = await get(tx, productId)
  const stock = product.stock + quantity
  if (stock < 0) {
    throw new Refusal('stock_insufficient', { productId, requested: -quantity, available: product.stock })
  }
  await queries.updateStock(tx, [{ productId, change: quantity }]).execute()
  const reason = quantity > 0 ? 'RESTOCKED' : 'CORRECTED'
  const change = { productId, change: quantity, reason, idempotencyKey, createdAt: now } as const
  await queries.insertStockChange(tx, change).execute()
  const payload = { productId, change: quantity, stock }
  await insertEvent(tx, { type: 'product.restocked', payload, at: now, traceparent })
  return { ...product, stock }
}
