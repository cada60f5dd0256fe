import type { Db, Tx } from '@pointwise/db'

function selectStores(db: Db) {
  return db.selectFrom('stores').select(['id', 'name']).where('deleted_at', 'is', null)
}

export function selectStore(db: Db, storeId: number) {
  return selectStores(db).where('id', '=', storeId)
}

export function selectStoresByName(db: Db) {
  return selectStores(db).orderBy('name')
}

export function selectStoreByName(db: Db, name: string) {
  return db.selectFrom('stores').select('id').where('name', '=', name)
}

export function insertStore(tx: Tx, name: string) {
  return tx.insertInto('stores').values({ name })
}
