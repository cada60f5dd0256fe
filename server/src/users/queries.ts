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

export function selectUserByName(db: Reader, name: string) {
  return db.selectFrom('users').select('id').where('name', '=', name)
}

export function insertUser(tx: Tx, user: { name: string; createdAt: Date }) {
  return tx.insertInto('users').values({ name: user.name, created_at: user.createdAt })
}

export function updateRemoved(tx: Tx, userId: number, removedAt: Date) {
  return tx.updateTable('users').set({ deleted_at: removedAt }).where('id', '=', userId).where('deleted_at', 'is', null)
}
