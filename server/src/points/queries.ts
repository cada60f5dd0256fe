import { type Db, forceIndex, type Tx, type UseType } from '@pointwise/db'

export function selectWallet(db: Db, userId: number) {
  return db
    .selectFrom('points')
    .select(['id', 'point as balance', 'updated_at as updatedAt'])
    .where('user_id', '=', userId)
}

export function lockWallet(tx: Tx, userId: number) {
  return tx.selectFrom('points').select(['id', 'point as balance']).where('user_id', '=', userId).forUpdate()
}

export function insertWallet(tx: Tx, wallet: { userId: number; createdAt: Date }) {
  return tx.insertInto('points').values({
    user_id: wallet.userId,
    point: 0,
    created_at: wallet.createdAt,
    updated_at: wallet.createdAt,
  })
}

export function updateBalance(tx: Tx, wallet: { id: number; balance: number; updatedAt: Date }) {
  return tx
    .updateTable('points')
    .set({ point: wallet.balance, updated_at: wallet.updatedAt })
    .where('id', '=', wallet.id)
}

interface HistoryRow {
  walletId: number
  amount: number
  balance: number
  type: UseType
  orderId: number | null
  idempotencyKey: string | null
  createdAt: Date
}

export function insertHistory(tx: Tx, row: HistoryRow) {
  return tx.insertInto('point_histories').values({
    point_id: row.walletId,
    point: row.amount,
    balance: row.balance,
    use_type: row.type,
    order_id: row.orderId,
    idempotency_key: row.idempotencyKey,
    created_at: row.createdAt,
  })
}

const HISTORY = [
  'point_histories.id',
  'use_type as type',
  'point_histories.point as amount',
  'balance',
  'order_id as orderId',
  'point_histories.created_at as createdAt',
] as const

function selectHistories(db: Db) {
  return db.selectFrom('point_histories').select(HISTORY)
}

export function selectHistoryByKey(db: Db, walletId: number, idempotencyKey: string) {
  return selectHistories(db).where('point_id', '=', walletId).where('idempotency_key', '=', idempotencyKey)
}

export function selectHistoryOfOrder(db: Db, orderId: number, type: UseType) {
  return selectHistories(db).where('order_id', '=', orderId).where('use_type', '=', type)
}

/**
 * Newest first; `before` is the id of the last row already seen. The index has the page's order, so that only the page is
 * read; MySQL would rather read and sort all rows of a wallet that has some hundreds.
 */
export function selectHistoryPage(db: Db, page: { userId: number; before: number | undefined; limit: number }) {
  return db
    .selectFrom(forceIndex('point_histories', 'point_histories_newest'))
    .select(HISTORY)
    .innerJoin('points', 'points.id', 'point_histories.point_id')
    .where('points.user_id', '=', page.userId)
    .$if(page.before !== undefined, (query) => query.where('point_histories.id', '<', page.before ?? 0))
    .orderBy('point_histories.id', 'desc')
    .limit(page.limit)
}
