import { nameKey, type Reader, type Tx } from '@pointwise/db'
import * as points from '../points/service.ts'
import { Refusal } from '../refusals.ts'
import * as queries from './queries.ts'
import type { User } from './user-schemas.ts'

/** Whether the user exists and was not removed. */
export async function exists(db: Reader, userId: number): Promise<boolean> {
  return (await queries.selectUser(db, userId).executeTakeFirst()) !== undefined
}

/** @throws Refusal user_not_found */
export async function get(db: Reader, userId: number): Promise<User> {
  return queries.selectUser(db, userId).executeTakeFirstOrThrow(() => new Refusal('user_not_found'))
}

/** The users that were created first, at most `count` of them. */
export async function listFirst(db: Reader, count: number): Promise<User[]> {
  return queries.selectFirstUsers(db, count).execute()
}

/** Whether any user was ever created, removed or not. */
export async function hasEverHadUsers(db: Reader): Promise<boolean> {
  return (await queries.selectAnyUser(db).executeTakeFirst()) !== undefined
}

/**
 * Creates a user with an empty wallet.
 *
 * @throws Refusal name_taken when a user has the same name, see `nameKey`; also when it belongs to a removed user
 */
export async function create(tx: Tx, { name, now }: { name: string; now: Date }): Promise<User> {
  const key = nameKey(name)
  const named = await queries.selectUsersByNameKey(tx, key).execute()
  if (named.some((user) => nameKey(user.name) === key)) throw new Refusal('name_taken', { name })
  const { insertId } = await queries.insertUser(tx, { name, nameKey: key, createdAt: now }).executeTakeFirstOrThrow()
  const id = Number(insertId)
  await points.createWallet(tx, { userId: id, now })
  return { id, name, createdAt: now }
}

/**
 * Removes a user. It waits for the transactions under way that change the user's balance; after it, no call with the user's token
 * changes the balance. Orders and history stay. docs/caching.md lists what the token can still do, and for how long.
 *
 * @throws Refusal user_unknown when the user does not exist or is already removed
 */
export async function remove(tx: Tx, { userId, now }: { userId: number; now: Date }): Promise<{ id: number }> {
  await points.lock(tx, userId)
  const { numUpdatedRows } = await queries.updateRemoved(tx, userId, now).executeTakeFirstOrThrow()
  if (numUpdatedRows === 0n) throw new Refusal('user_unknown', { userId })
  return { id: userId }
}
