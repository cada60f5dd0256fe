import { nameKey, type Reader, type Tx } from '@pointwise/db'
import { Refusal } from '../refusals.ts'
import * as queries from './queries.ts'
import type { Store } from './store-schemas.ts'

/** @throws Refusal store_not_found */
export async function get(db: Reader, storeId: number): Promise<Store> {
  return queries.selectStore(db, storeId).executeTakeFirstOrThrow(() => new Refusal('store_not_found', { storeId }))
}

/** Every store, sorted by name. */
export async function list(db: Reader): Promise<Store[]> {
  return queries.selectStoresByName(db).execute()
}

/** @throws Refusal name_taken */
export async function create(tx: Tx, { name }: { name: string }): Promise<Store> {
  const key = nameKey(name)
  const named = await queries.selectStoresByNameKey(tx, key).execute()
  if (named.some((store) => nameKey(store.name) === key)) throw new Refusal('name_taken', { name })
  const { insertId } = await queries.insertStore(tx, { name, nameKey: key }).executeTakeFirstOrThrow()
  return { id: Number(insertId), name }
}
