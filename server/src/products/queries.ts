import { caseWhen, forceIndex, type Reader, type StockReason, type Tx } from '@pointwise/db'
import { sql } from 'kysely'

export function selectProducts(db: Reader) {
  return db
    .selectFrom('products')
    .innerJoin('stores', 'stores.id', 'products.store_id')
    .innerJoin('stock', 'stock.product_id', 'products.id')
    .select([
      'products.id',
      'store_id as storeId',
      'stores.name as storeName',
      'products.name',
      'price',
      'stock',
      'sales_volume as salesVolume',
      'products.created_at as createdAt',
    ])
}

export function selectProduct(db: Reader, productId: number) {
  return selectProducts(db).where('products.id', '=', productId).where('products.deleted_at', 'is', null)
}

function selectListed(db: Reader, storeId: number | undefined) {
  const query = db.selectFrom('products').where('deleted_at', 'is', null)
  return storeId === undefined ? query : query.where('store_id', '=', storeId)
}

export function countListed(db: Reader, storeId: number | undefined) {
  return selectListed(db, storeId).select((eb) => eb.fn.countAll<number>().as('totalItems'))
}

interface Position {
  storeId: number | undefined
  /** The id from which `offset` counts; undefined for the newest product. */
  from: number | undefined
  offset: number
}

function selectIdsFrom(db: Reader, { storeId, from, offset }: Position) {
  const query = selectListed(db, storeId).select('products.id')
  const bounded = from === undefined ? query : query.where('products.id', '<=', from)
  return bounded.orderBy('products.id', 'desc').offset(offset)
}

/** The id at a position of the listing. An index has all of it. */
export function selectIdAt(db: Reader, position: Position) {
  return selectIdsFrom(db, position).limit(1)
}

/** A page from a position on. An index has the ids; then the rows of the page are read. */
export function selectPage(db: Reader, { limit, ...position }: Position & { limit: number }) {
  const ids = selectIdsFrom(db, position).limit(limit)
  return selectProducts(db).innerJoin(ids.as('page'), 'page.id', 'products.id').orderBy('products.id', 'desc')
}

/** A page by keyset. `before` is the last id of the previous page. */
export function selectPageBefore(
  db: Reader,
  { storeId, limit, before }: { storeId: number | undefined; limit: number; before: number | undefined },
) {
  const query = selectListed(db, storeId).select('products.id')
  const bounded = before === undefined ? query : query.where('products.id', '<', before)
  const ids = bounded.orderBy('products.id', 'desc').limit(limit)
  return selectProducts(db).innerJoin(ids.as('page'), 'page.id', 'products.id').orderBy('products.id', 'desc')
}

export function selectTopSelling(db: Reader, limit: number) {
  const ids = db
    .selectFrom('products')
    .select('products.id')
    .where('deleted_at', 'is', null)
    .where('sales_volume', '>', 0)
    .orderBy('sales_volume', 'desc')
    .orderBy('products.id')
    .limit(limit)
  return selectProducts(db)
    .innerJoin(ids.as('top'), 'top.id', 'products.id')
    .orderBy('sales_volume', 'desc')
    .orderBy('products.id')
}

/**
 * Sums the sales of all products from the hour `from` to the hour `through`, both included, and reads the rest only of the
 * products that lead.
 */
export function selectTrending(db: Reader, { from, through, limit }: { from: Date; through: Date; limit: number }) {
  const sold = db
    .selectFrom('product_sales')
    .select((eb) => ['product_id', eb.fn.sum<string>('count').as('soldCount')])
    .where('hour', '>=', from)
    .where('hour', '<=', through)
    .groupBy('product_id')
    .having((eb) => eb.fn.sum('count'), '>', 0)
  const leading = db
    .selectFrom(sold.as('sold'))
    .innerJoin('products', 'products.id', 'sold.product_id')
    .select(['products.id', 'soldCount'])
    .where('products.deleted_at', 'is', null)
    .orderBy('soldCount', 'desc')
    .orderBy('products.id')
    .limit(limit)
  return selectProducts(db)
    .innerJoin(leading.as('leading'), 'leading.id', 'products.id')
    .select('soldCount')
    .orderBy('soldCount', 'desc')
    .orderBy('products.id')
}

/** Names and prices of the products that are not removed. */
export function selectOffers(db: Reader, productIds: number[]) {
  return db
    .selectFrom('products')
    .select(['id', 'name', 'price'])
    .where('id', 'in', productIds)
    .where('deleted_at', 'is', null)
}

export function selectStock(db: Reader, productIds: number[]) {
  return db.selectFrom('stock').select(['product_id as productId', 'stock']).where('product_id', 'in', productIds)
}

/** Locks stock by ascending product id. Rows are locked in the order of the scan, hence the forced index. */
export function lockStock(tx: Tx, productIds: number[]) {
  return tx
    .selectFrom(forceIndex('stock', 'stock_product'))
    .select(['product_id as productId', 'stock'])
    .where('product_id', 'in', productIds)
    .orderBy('product_id')
    .forUpdate()
}

export interface QuantityChange {
  productId: number
  /** Signed. */
  change: number
}

const changeByKey = (column: 'product_id' | 'id', changes: QuantityChange[]) =>
  caseWhen(
    column,
    changes.map(({ productId, change }) => [productId, change] as const),
  )

export function updateStock(tx: Tx, changes: QuantityChange[]) {
  return tx
    .updateTable('stock')
    .set((eb) => ({ stock: eb('stock', '+', changeByKey('product_id', changes)) }))
    .where(
      'product_id',
      'in',
      changes.map(({ productId }) => productId),
    )
}

export function updateSalesVolume(tx: Tx, changes: QuantityChange[]) {
  return tx
    .updateTable('products')
    .set((eb) => ({ sales_volume: eb('sales_volume', '+', changeByKey('id', changes)) }))
    .where(
      'id',
      'in',
      changes.map(({ productId }) => productId),
    )
}

/** Adds to the sales of hours. It uses `VALUES()`, because MariaDB has no row alias. */
export function upsertHourlySales(tx: Tx, changes: (QuantityChange & { hour: Date })[]) {
  return tx
    .insertInto('product_sales')
    .values(changes.map(({ productId, hour, change }) => ({ product_id: productId, hour, count: change })))
    .onDuplicateKeyUpdate((eb) => ({ count: eb('count', '+', sql<number>`values(${sql.ref('count')})`) }))
}

export function insertProduct(tx: Tx, row: { storeId: number; name: string; price: number; createdAt: Date }) {
  return tx
    .insertInto('products')
    .values({ store_id: row.storeId, name: row.name, price: row.price, created_at: row.createdAt })
}

export function insertStock(tx: Tx, row: { productId: number; stock: number }) {
  return tx.insertInto('stock').values({ product_id: row.productId, stock: row.stock })
}

interface StockChange {
  productId: number
  change: number
  reason: StockReason
  idempotencyKey: string
  createdAt: Date
}

export function insertStockChange(tx: Tx, row: StockChange) {
  return tx.insertInto('stock_changes').values({
    product_id: row.productId,
    change: row.change,
    reason: row.reason,
    idempotency_key: row.idempotencyKey,
    created_at: row.createdAt,
  })
}

export function selectStockChange(db: Reader, productId: number, idempotencyKey: string) {
  return db
    .selectFrom('stock_changes')
    .select('change')
    .where('product_id', '=', productId)
    .where('idempotency_key', '=', idempotencyKey)
}

export function updateProduct(tx: Tx, product: { id: number; name: string; price: number }) {
  return tx.updateTable('products').set({ name: product.name, price: product.price }).where('id', '=', product.id)
}

export function updateRemoved(tx: Tx, productId: number, removedAt: Date) {
  return tx.updateTable('products').set({ deleted_at: removedAt }).where('id', '=', productId)
}
