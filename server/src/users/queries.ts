import type { Reader, Tx } from '@pointwise/db'

function selectUsers(db: Reader) {
  return db.selectFrom('users').select(['id', 'name', 'created_at as createdAt']).where('deleted_at', 'is', null)
}

export function selectUser(db: Reader, userId: number) {
  return selectUsers(db).where('id', '=', userId)
}

export function selectFirstUsers(db: Reader, count: number) {
  return selectUsers(db).orderBy('id').limit(count)
}

/** One user, removed or not. */
export function selectAnyUser(db: Reader) {
  return db.selectFrom('users').select('id').limit(1)
}

/** Rows with this name key, and rows of which it is not known yet: a server of the previous version wrote them. */
export function selectUsersByNameKey(db: Reader, key: string) {
  return db
    .selectFrom('users')
    .select(['id', 'name'])
    .where((eb) => eb.or([eb('name_key', '=', key), eb('name_key', 'is', null)]))
}

export function insertUser(tx: Tx, user: { name: string; nameKey: string; createdAt: Date }) {
  return tx.insertInto('users').values({ name: user.name, name_key: user.nameKey, created_at: user.createdAt })
}

export function updateRemoved(tx: Tx, userId: number, removedAt: Date) {
  return tx.updateTable('users').set({ deleted_at: removedAt }).where('id', '=', userId).where('deleted_at', 'is', null)
}
