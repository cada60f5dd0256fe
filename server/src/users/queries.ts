import type { Db, Tx } from '@pointwise/db'

export function selectUser(db: Db, userId: number) {
  return db
    .selectFrom('users')
    .select(['id', 'name', 'created_at as createdAt'])
    .where('id', '=', userId)
    .where('deleted_at', 'is', null)
}

export function selectUserByName(db: Db, name: string) {
  return db.selectFrom('users').select('id').where('name', '=', name)
}

export function insertUser(tx: Tx, user: { name: string; createdAt: Date }) {
  return tx.insertInto('users').values({ name: user.name, created_at: user.createdAt })
}

export function updateRemoved(tx: Tx, userId: number, removedAt: Date) {
  return tx.updateTable('users').set({ deleted_at: removedAt }).where('id', '=', userId).where('deleted_at', 'is', null)
}
