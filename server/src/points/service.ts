import type { Reader, Tx, UseType } from '@pointwise/db'
import { insertEvent } from '../outbox/events.ts'
import { Refusal } from '../refusals.ts'
import { toPage } from '../rpc/cursor.ts'
import * as queries from './queries.ts'

// For settlements, which read and write the wallets of many payments at once.
export { type HistoryRow, insertHistories, lockUsers, lockWallets, selectBalances, updateBalances } from './queries.ts'

/** What a wallet holds at most, in points. */
export const BALANCE_MAX = 1_000_000

export interface Wallet {
  id: number
  balance: number
}

export interface Balance {
  balance: number
  limit: number
  updatedAt: Date
}

export interface Charged {
  historyId: number
  amount: number
  balance: number
  replayed: boolean
}

export interface History {
  id: number
  type: UseType
  /** Signed: what was added to the balance. */
  amount: number
  /** The balance after it. */
  balance: number
  orderId: number | null
  createdAt: Date
}

/** Gives a new user the one wallet they will have, empty. */
export async function createWallet(tx: Tx, { userId, now }: { userId: number; now: Date }): Promise<void> {
  await queries.insertWallet(tx, { userId, createdAt: now }).execute()
}

export async function balance(db: Reader, userId: number): Promise<Balance> {
  const wallet = await queries.selectWallet(db, userId).executeTakeFirstOrThrow()
  return { balance: wallet.balance, limit: BALANCE_MAX, updatedAt: wallet.updatedAt }
}

/** A user's history, newest first. */
export async function histories(db: Reader, page: { userId: number; cursor?: number | undefined; limit: number }) {
  const { userId, cursor: before, limit } = page
  const rows = await queries.selectHistoryPage(db, { userId, before, limit: limit + 1 }).execute()
  return toPage(rows, limit)
}

/** Locks a user's wallet until the transaction ends, so that whoever else changes the balance waits. */
export async function lock(tx: Tx, userId: number): Promise<Wallet> {
  return queries.lockWallets(tx, [userId]).executeTakeFirstOrThrow()
}

/**
 * Adds points to a user's wallet, once for each idempotency key: a repeat returns the first charge.
 *
 * @throws Refusal user_not_found, idempotency_key_reused, points_limit_exceeded
 */
export async function charge(
  tx: Tx,
  call: { userId: number; amount: number; idempotencyKey: string; now: Date },
): Promise<Charged> {
  const { userId, amount, idempotencyKey, now } = call
  // The lock comes first: a repeat waits here, and then sees the row that it repeats.
  const wallet = await queries.lockWallets(tx, [userId]).executeTakeFirstOrThrow(() => new Refusal('user_not_found'))
  if (!wallet.active) throw new Refusal('user_not_found')
  const earlier = await queries.selectHistoryByKey(tx, wallet.id, idempotencyKey).executeTakeFirst()
  if (earlier) {
    if (earlier.amount !== amount) throw new Refusal('idempotency_key_reused')
    return { historyId: earlier.id, amount, balance: earlier.balance, replayed: true }
  }
  const { historyId, balance } = await change(tx, wallet, {
    type: 'CHARGE',
    amount,
    orderId: null,
    idempotencyKey,
    now,
  })
  await insertEvent(tx, { type: 'points.charged', payload: { userId, historyId, amount, balance }, at: now })
  return { historyId, amount, balance, replayed: false }
}

/**
 * Puts the points of an order back into a locked wallet and returns the balance after it.
 *
 * @throws Refusal points_limit_exceeded
 */
export async function refund(
  tx: Tx,
  wallet: Wallet,
  { orderId, amount, now }: { orderId: number; amount: number; now: Date },
): Promise<number> {
  const changed = await change(tx, wallet, { type: 'REFUND', amount, orderId, idempotencyKey: null, now })
  return changed.balance
}

interface Change {
  type: UseType
  amount: number
  orderId: number | null
  idempotencyKey: string | null
  now: Date
}

/** Adds to a balance, and writes its history row with it. */
async function change(tx: Tx, wallet: Wallet, { now, ...row }: Change) {
  const balance = wallet.balance + row.amount
  if (balance > BALANCE_MAX) {
    throw new Refusal('points_limit_exceeded', { balance: wallet.balance, limit: BALANCE_MAX })
  }
  await queries.updateBalances(tx, [{ walletId: wallet.id, balance, updatedAt: now }]).execute()
  const { insertId } = await queries
    .insertHistories(tx, [{ walletId: wallet.id, balance, createdAt: now, ...row }])
    .executeTakeFirstOrThrow()
  return { historyId: Number(insertId), balance }
}
