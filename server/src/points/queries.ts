import { forceIndex, type Reader, type Tx, type UseType } from '@pointwise/db'

export function selectWallet(db: Reader, userId: number) {
  return db
    .selectFrom('points')
    .select(['id', 'point as balance', 'updated_at as updatedAt'])
    .where('user_id', '=', userId)
}

export function lockWallet(tx: Tx, userId: number) {
  return tx
    .selectFrom(forceIndex('points', 'points_user'))
    .select(['id', 'point as balance'])
    .where('user_id', '=', userId)
    .forUpdate()
}

/** The user, unless removed. */
export function selectActiveUser(db: Reader, userId: number) {
  return db.selectFrom('users').select('id').where('deleted_at', 'is', null).where('id', '=', userId)
}

export function insertWallet(tx: Tx, wallet: { userId: number; createdAt: Date }) {
  return tx.insertInto('points').values({
    user_id: wallet.userId,
    point: 0,
    created_at: wallet.createdAt,
    updated_at: wallet.createdAt,
  })
}

export function updateBalance(tx: Tx, walletId: number, { balance, updatedAt }: { balance: number; updatedAt: Date }) {
  return tx.updateTable('points').set({ point: balance, updated_at: updatedAt }).where('id', '=', walletId)
}

interface HistoryRow {
  walletId: number
  /** Signed. */
  amount: number
  /** The balance after the change. */
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

export function selectHistoryByKey(db: Reader, walletId: number, idempotencyKey: string) {
  return db
    .selectFrom('point_histories')
    .select(HISTORY)
    .where('point_id', '=', walletId)
    .where('idempotency_key', '=', idempotencyKey)
}

/**
 * A page of a user's history, newest first. `before` is the last id of the previous page. The forced index has the order of
 * the page, so that only the page is read: MySQL prefers to read and sort all rows of a wallet that has some hundreds.
 */
export function selectHistoryPage(db: Reader, page: { userId: number; before: number | undefined; limit: number }) {
  let query = db
    .selectFrom(forceIndex('point_histories', 'point_histories_newest'))
    .select(HISTORY)
    .innerJoin('points', 'points.id', 'point_histories.point_id')
    .where('points.user_id', '=', page.userId)
  if (page.before !== undefined) query = query.where('point_histories.id', '<', page.before)
  return query.orderBy('point_histories.id', 'desc').limit(page.limit)
}
