import { caseWhen, forceIndex, type Reader, type Tx, type UseType } from '@pointwise/db'

export function selectWallet(db: Reader, userId: number) {
  return db
    .selectFrom('points')
    .select(['id', 'point as balance', 'updated_at as updatedAt'])
    .where('user_id', '=', userId)
}

/** Of the users who have a wallet, locked or not. */
export function selectBalances(db: Reader, userIds: number[]) {
  return db.selectFrom('points').select(['user_id as userId', 'point as balance']).where('user_id', 'in', userIds)
}

/**
 * Locks wallets in ascending order of user: the index is forced, because rows are locked in the order of the scan.
 * `active` tells whether the user is there and was not removed.
 */
export function lockWallets(tx: Tx, userIds: number[]) {
  return tx
    .selectFrom(forceIndex('points', 'points_user'))
    .select(['id', 'user_id as userId', 'point as balance'])
    .select((eb) =>
      eb
        .exists(
          eb
            .selectFrom('users')
            .select('users.id')
            .whereRef('users.id', '=', 'user_id')
            .where('deleted_at', 'is', null),
        )
        .as('active'),
    )
    .where('user_id', 'in', userIds)
    .orderBy('user_id')
    .forUpdate()
}

/** The rows that orders and payments refer to. */
export function lockUsers(tx: Tx, userIds: number[]) {
  return tx.selectFrom('users').select('id as userId').where('id', 'in', userIds).orderBy('id').forUpdate()
}

export function insertWallet(tx: Tx, wallet: { userId: number; createdAt: Date }) {
  return tx.insertInto('points').values({
    user_id: wallet.userId,
    point: 0,
    created_at: wallet.createdAt,
    updated_at: wallet.createdAt,
  })
}

interface NewBalance {
  walletId: number
  balance: number
  updatedAt: Date
}

export function updateBalances(tx: Tx, wallets: NewBalance[]) {
  return tx
    .updateTable('points')
    .set({
      point: caseWhen(
        'id',
        wallets.map(({ walletId, balance }) => [walletId, balance] as const),
      ),
      updated_at: caseWhen(
        'id',
        wallets.map(({ walletId, updatedAt }) => [walletId, updatedAt] as const),
      ),
    })
    .where(
      'id',
      'in',
      wallets.map(({ walletId }) => walletId),
    )
}

export interface HistoryRow {
  walletId: number
  amount: number
  balance: number
  type: UseType
  orderId: number | null
  idempotencyKey: string | null
  createdAt: Date
}

export function insertHistories(tx: Tx, rows: HistoryRow[]) {
  return tx.insertInto('point_histories').values(
    rows.map((row) => ({
      point_id: row.walletId,
      point: row.amount,
      balance: row.balance,
      use_type: row.type,
      order_id: row.orderId,
      idempotency_key: row.idempotencyKey,
      created_at: row.createdAt,
    })),
  )
}

const HISTORY = [
  'point_histories.id',
  'use_type as type',
  'point_histories.point as amount',
  'balance',
  'order_id as orderId',
  'point_histories.created_at as createdAt',
] as const

function selectHistories(db: Reader) {
  return db.selectFrom('point_histories').select(HISTORY)
}

export function selectHistoryByKey(db: Reader, walletId: number, idempotencyKey: string) {
  return selectHistories(db).where('point_id', '=', walletId).where('idempotency_key', '=', idempotencyKey)
}

/**
 * Newest first; `before` is the id of the last row already seen. The index has the page's order, so that only the page is
 * read; MySQL would rather read and sort all rows of a wallet that has some hundreds.
 */
export function selectHistoryPage(db: Reader, page: { userId: number; before: number | undefined; limit: number }) {
  return db
    .selectFrom(forceIndex('point_histories', 'point_histories_newest'))
    .select(HISTORY)
    .innerJoin('points', 'points.id', 'point_histories.point_id')
    .where('points.user_id', '=', page.userId)
    .$if(page.before !== undefined, (query) => query.where('point_histories.id', '<', page.before ?? 0))
    .orderBy('point_histories.id', 'desc')
    .limit(page.limit)
}
