/*
 * What writes takes a `Tx`, so that a write outside a transaction does not compile. The compiler is the test: an
 * expected error that does not come is an error.
 */
import type { Pool, Reader, Tx } from '@pointwise/db'

declare const db: Pool
declare const tx: Tx

declare function reads(db: Reader): void
declare function writes(tx: Tx): void

reads(db)
reads(tx)
writes(tx)
// @ts-expect-error: a pool is no transaction
writes(db)

db.selectFrom('users').select('id')
tx.selectFrom('users').select('id')
tx.insertInto('users').values({ name: 'Ada' })
tx.updateTable('users').set({ name: 'Ben' })
tx.deleteFrom('users')
// @ts-expect-error: no insert outside a transaction
db.insertInto('users')
// @ts-expect-error: no update outside a transaction
db.updateTable('users')
// @ts-expect-error: no delete outside a transaction
db.deleteFrom('users')
// @ts-expect-error: no replace outside a transaction
db.replaceInto('users')
// @ts-expect-error: no merge outside a transaction
db.mergeInto('users')
// @ts-expect-error: a transaction is opened with `transact`
db.transaction()
// @ts-expect-error: a transaction is opened with `transact`
db.startTransaction()
// @ts-expect-error: no statement past the tables' types
db.executeQuery
// @ts-expect-error: tables are made by migrations
db.schema
// @ts-expect-error: a pool is not handed on as one connection
db.connection()

// @ts-expect-error: no such table
db.selectFrom('user')
// @ts-expect-error: no such column
db.selectFrom('users').select('nickname')
// @ts-expect-error: a balance is a number
tx.updateTable('points').set({ point: '5' })
// @ts-expect-error: a history row is never changed in its time
tx.updateTable('point_histories').set({ created_at: new Date() })
// @ts-expect-error: a status is one of four
tx.updateTable('orders').set({ status: 'lost' })
