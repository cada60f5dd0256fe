import type { Reader, Tx } from '@pointwise/db'

function selectStores(db: Reader) {
  return db.selectFrom('stores').select(['id', 'name']).where('deleted_at', 'is', null)
}

export function selectStore(db: Reader, storeId: number) {
  return selectStores(db).where('id', '=', storeId)
}

export function selectStoresByName(db: Reader) {
  return selectStores(db).orderBy('name')
}

export function selectStoreByName(db: Reader, name: string) {
  return db.selectFrom('stores').select('id').where('name', '=', name)
}

export function insertStore(tx: Tx, name: string) {
  return tx.insertInto('stores').values({ name })
}
