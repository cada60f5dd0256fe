import type { Reader, Tx } from '@pointwise/db'
import * as points from '../points/service.ts'
import { Refusal } from '../refusals.ts'
import * as queries from './queries.ts'

export interface User {
  id: number
  name: string
  createdAt: Date
}

/** Whether the user is there and was not removed. */
export async function exists(db: Reader, userId: number): Promise<boolean> {
  return (await queries.selectUser(db, userId).executeTakeFirst()) !== undefined
}

/** @throws Refusal user_not_found */
export async function get(db: Reader, userId: number): Promise<User> {
  return queries.selectUser(db, userId).executeTakeFirstOrThrow(() => new Refusal('user_not_found'))
}

/** The users who are here longest, at most so many. */
export async function listFirst(db: Reader, count: number): Promise<User[]> {
  return queries.selectFirstUsers(db, count).execute()
}

/** Whether there was a user ever, removed or not. */
export async function hasEverHadUsers(db: Reader): Promise<boolean> {
  return (await queries.selectAnybody(db).executeTakeFirst()) !== undefined
}

/**
 * Creates a user with an empty wallet.
 *
 * @throws Refusal name_taken, also by a user who was removed
 */
export async function create(tx: Tx, { name, now }: { name: string; now: Date }): Promise<User> {
  const namesake = await queries.selectUserByName(tx, name).executeTakeFirst()
  if (namesake) throw new Refusal('name_taken', { name })
  const { insertId } = await queries.insertUser(tx, { name, createdAt: now }).executeTakeFirstOrThrow()
  const id = Number(insertId)
  await points.createWallet(tx, { userId: id, now })
  return { id, name, createdAt: now }
}

/**
 * Removes a user. The user's token can no longer move points; the user's orders, payments and history remain.
 * docs/caching.md describes for how long the token can still be used for other calls.
 *
 * @throws Refusal user_unknown when the user does not exist or is already removed
 */
export async function remove(tx: Tx, { userId, now }: { userId: number; now: Date }): Promise<{ id: number }> {
  const { numUpdatedRows } = await queries.updateRemoved(tx, userId, now).executeTakeFirstOrThrow()
  if (numUpdatedRows === 0n) throw new Refusal('user_unknown', { userId })
  return { id: userId }
}
