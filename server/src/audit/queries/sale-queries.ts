import { forceIndex, type Reader } from '@pointwise/db'
import { type RawBuilder, sql } from 'kysely'
import { type Chunk, within } from './chunk-queries.ts'

/** Whole hours since 1970-01-01, UTC. */
const hourOf = (column: string): RawBuilder<number> => sql`timestampdiff(hour, '1970-01-01', ${sql.ref(column)})`

/** The rows of `product_sales` for a range of products. */
export function selectHourlySales(db: Reader, products: Chunk) {
  return db
    .selectFrom('product_sales')
    .select(['product_id as productId', hourOf('hour').as('hour'), 'count'])
    .where(within('product_id', products))
}

/**
 * The quantity sold, by product and hour, in a chunk of orders, for a range of products. Order lines have no index by
 * product, since it would cost every sale a write. Therefore lines are read by order, and the caller adds up the chunks.
 */
export function selectSoldQuantities(db: Reader, orders: Chunk, products: Chunk) {
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

/** The sales volume, the stock, and the quantity ever stocked of each product. */
export function selectStockTotals(db: Reader, products: Chunk) {
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
