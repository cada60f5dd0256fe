import { forceIndex, type Reader } from '@pointwise/db'
import { type Chunk, within } from './chunk-queries.ts'

/** The wallets of a range of users. */
export function selectWalletStates(db: Reader, users: Chunk) {
  return db
    .selectFrom(forceIndex('points', 'points_user'))
    .select(['id', 'user_id as userId', 'point as balance', 'created_at as createdAt', 'updated_at as updatedAt'])
    .where(within('user_id', users))
}

export function selectProductStates(db: Reader, products: Chunk) {
  return db
    .selectFrom('products')
    .leftJoin('stock', 'stock.product_id', 'products.id')
    .select(['products.id', 'name', 'price', 'sales_volume as salesVolume', 'deleted_at as deletedAt', 'stock.stock'])
    .where(within('products.id', products))
}

/** The changes of stock in a chunk that are neither sales nor refunds, of a range of products. */
export function selectStockChanges(db: Reader, changes: Chunk, products: Chunk) {
  return db
    .selectFrom(forceIndex('stock_changes', 'PRIMARY'))
    .select(['id', 'product_id as productId', 'change', 'reason', 'created_at as createdAt'])
    .where(within('id', changes))
    .where(within('product_id', products))
    .orderBy('id')
}
