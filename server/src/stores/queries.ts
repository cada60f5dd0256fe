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

/** Rows with this name key, and rows of which it is not known yet: a server of the previous version wrote them. */
export function selectStoresByNameKey(db: Reader, key: string) {
  return db
    .selectFrom('stores')
    .select(['id', 'name'])
    .where((eb) => eb.or([eb('name_key', '=', key), eb('name_key', 'is', null)]))
}

export function insertStore(tx: Tx, store: { name: string; nameKey: string }) {
  return tx.insertInto('stores').values({ name: store.name, name_key: store.nameKey })
}
