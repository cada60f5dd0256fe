import { executeBatch, type Reader, type Tx, type UseType } from '@pointwise/db'
import { insertEvent, type TraceContext } from '../outbox/events.ts'
import { Refusal } from '../refusals.ts'
import { toPage } from '../rpc/cursor.ts'
import { BALANCE_MAX, type Balance, type Charge } from './point-schemas.ts'
import * as queries from './queries.ts'

export interface Wallet {
  id: number
  balance: number
}

/** Creates the wallet of a new user, with a balance of 0. */
export async function createWallet(tx: Tx, { userId, now }: { userId: number; now: Date }): Promise<void> {
  await queries.insertWallet(tx, { userId, createdAt: now }).execute()
}

export async function balance(db: Reader, userId: number): Promise<Balance> {
  const wallet = await queries.selectWallet(db, userId).executeTakeFirstOrThrow()
  return { balance: wallet.balance, limit: BALANCE_MAX, updatedAt: wallet.updatedAt }
}

/** A page of a user's history, newest first. */
export async function histories(db: Reader, page: { userId: number; cursor?: number | undefined; limit: number }) {
  const { userId, cursor: before, limit } = page
  const rows = await queries.selectHistoryPage(db, { userId, before, limit: limit + 1 }).execute()
  return toPage(rows, limit)
}

/**
 * Locks a user's wallet until the transaction ends. Meanwhile no other transaction changes the balance or removes the user.
 * Returns undefined when the user does not exist; a removed user has a wallet.
 */
export async function lock(tx: Tx, userId: number): Promise<Wallet | undefined> {
  return queries.lockWallet(tx, userId).executeTakeFirst()
}

/**
 * Adds points to a user's wallet, once for each idempotency key. A repeat returns the first charge.
 *
 * @throws Refusal user_not_found, idempotency_key_reused, points_limit_exceeded
 */
export async function charge(
  tx: Tx,
  call: { userId: number; amount: number; idempotencyKey: string; now: Date } & TraceContext,
): Promise<Charge> {
  const { userId, amount, idempotencyKey, now, traceparent } = call
  // The lock comes first. After it, a repeat finds the row of the first call. `users.remove` takes the same lock, and a statement
  // of its own reads the user as the transactions before left it.
  const {
    wallet: [wallet],
    user: [user],
  } = await executeBatch(tx, {
    wallet: queries.lockWallet(tx, userId),
    user: queries.selectActiveUser(tx, userId),
  })
  if (!wallet || !user) throw new Refusal('user_not_found')
  const earlier = await queries.selectHistoryByKey(tx, wallet.id, idempotencyKey).executeTakeFirst()
  if (earlier) {
    if (earlier.amount !== amount) throw new Refusal('idempotency_key_reused')
    return { historyId: earlier.id, amount, balance: earlier.balance, replayed: true }
  }
  const change = { type: 'CHARGE', amount, orderId: null, idempotencyKey, now } as const
  const { historyId, balance } = await changeBalance(tx, wallet, change)
  const payload = { userId, historyId, amount, balance }
  await insertEvent(tx, { type: 'points.charged', payload, at: now, traceparent })
  return { historyId, amount, balance, replayed: false }
}

/**
 * Returns the points of an order to a locked wallet, and returns the balance after it.
 *
 * @throws Refusal points_limit_exceeded
 */
export async function refund(
  tx: Tx,
  wallet: Wallet,
  { orderId, amount, now }: { orderId: number; amount: number; now: Date },
): Promise<number> {
  const { balance } = await changeBalance(tx, wallet, { type: 'REFUND', amount, orderId, idempotencyKey: null, now })
  return balance
}

interface BalanceChange {
  type: UseType
  amount: number
  orderId: number | null
  idempotencyKey: string | null
  now: Date
}

/** Changes the balance of a locked wallet and writes the history row of the change. */
async function changeBalance(tx: Tx, wallet: Wallet, { now, ...row }: BalanceChange) {
  const balance = wallet.balance + row.amount
  if (balance > BALANCE_MAX) {
    throw new Refusal('points_limit_exceeded', { balance: wallet.balance, limit: BALANCE_MAX })
  }
  await queries.updateBalance(tx, wallet.id, { balance, updatedAt: now }).execute()
  const history = { walletId: wallet.id, balance, createdAt: now, ...row }
  const { insertId } = await queries.insertHistory(tx, history).executeTakeFirstOrThrow()
  return { historyId: Number(insertId), balance }
}
