import { forceIndex, type Reader } from '@pointwise/db'
import { type RawBuilder, sql } from 'kysely'
import { type Chunk, within } from './table-scan.ts'

/** Whole hours since 1970, UTC. */
const hourOf = (column: string): RawBuilder<number> => sql`timestampdiff(hour, '1970-01-01', ${sql.ref(column)})`

/** The rollup's rows of a few products. */
export function selectRollup(db: Reader, products: Chunk) {
  return db
    .selectFrom('product_sales')
    .select(['product_id as productId', hourOf('hour').as('hour'), 'count'])
    .where(within('product_id', products))
}

/**
 * What was paid in a chunk of orders and not refunded, by product and hour, of a range of products. No index leads from a
 * product to its lines, which would cost every sale a write; so they are read by order and added up by whoever asks.
 */
export function selectSold(db: Reader, orders: Chunk, products: Chunk) {
  return db
    .selectFrom('orders')
    .modifyFront(sql`straight_join`)
    .innerJoin(forceIndex('order_products', 'order_products_line'), 'order_products.order_id', 'orders.id')
    .select(['product_id as productId', sql<string>`sum(order_products.count)`.as('sold')])
    .select(sql<number | null>`${hourOf('paid_at')}`.as('hour'))
    .where(within('orders.id', orders))
    .where('orders.status', '=', 'paid')
    .where(within('product_id', products))
    .groupBy(['product_id', sql`hour`])
}

/** What each product's own rows say. */
export function selectStockBooks(db: Reader, products: Chunk) {
  return db
    .selectFrom('products')
    .leftJoin('stock', 'stock.product_id', 'products.id')
    .leftJoin(forceIndex('stock_changes', 'stock_changes_key'), 'stock_changes.product_id', 'products.id')
    .select([
      'products.id',
      'sales_volume as salesVolume',
      'stock.stock',
      sql<string>`coalesce(sum(stock_changes.change), 0)`.as('stocked'),
    ])
    .where(within('products.id', products))
    .groupBy(['products.id', 'sales_volume', 'stock.stock'])
}
