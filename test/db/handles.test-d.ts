/*
 * Functions that write take a `Tx`, so that a write outside a transaction does not compile. The compiler runs this
 * test: an `@ts-expect-error` without an error is itself an error.
 */
import { type Pool, type Reader, readSnapshot, type Tx, transact } from '@pointwise/db'

declare const pool: Pool
declare const reader: Reader
declare const tx: Tx

declare function read(reader: Reader): void
declare function write(tx: Tx): void

read(pool)
read(reader)
read(tx)
write(tx)
// @ts-expect-error: a pool is not a transaction
write(pool)
// @ts-expect-error: a reader is not a transaction
write(reader)

void transact(pool, async (tx) => write(tx))
// @ts-expect-error: a transaction opens no other transaction
void transact(tx, async (tx) => write(tx))
// @ts-expect-error: a reader opens no transaction
void transact(reader, async (tx) => write(tx))
void readSnapshot(pool, async (snapshot) => read(snapshot))
// @ts-expect-error: a snapshot is a reader, and cannot write
void readSnapshot(pool, async (snapshot) => write(snapshot))
// @ts-expect-error: a snapshot is read in a transaction of its own
void readSnapshot(tx, async (snapshot) => read(snapshot))
// @ts-expect-error: a reader opens no transaction
void readSnapshot(reader, async (snapshot) => read(snapshot))

void pool.destroy()
// @ts-expect-error: only a pool is destroyed
reader.destroy
// @ts-expect-error: only a pool is destroyed
tx.destroy

pool.selectFrom('users').select('id')
reader.selectFrom('users').select('id')
tx.selectFrom('users').select('id')
tx.insertInto('users').values({ name: 'Ada' })
tx.updateTable('users').set({ name: 'Ben' })
tx.deleteFrom('users')
// @ts-expect-error: no insert outside a transaction
pool.insertInto
// @ts-expect-error: no update outside a transaction
pool.updateTable
// @ts-expect-error: no delete outside a transaction
pool.deleteFrom
// @ts-expect-error: no replace outside a transaction
pool.replaceInto
// @ts-expect-error: no merge outside a transaction
pool.mergeInto
// @ts-expect-error: no insert by a reader
reader.insertInto
// @ts-expect-error: no update by a reader
reader.updateTable
// @ts-expect-error: no delete by a reader
reader.deleteFrom
// @ts-expect-error: `transact` opens transactions
pool.transaction
// @ts-expect-error: `transact` opens transactions
pool.startTransaction
// @ts-expect-error: a reader opens no transaction
reader.startTransaction
// @ts-expect-error: a transaction opens no other transaction
tx.startTransaction
// @ts-expect-error: `transact` commits
tx.commit
// @ts-expect-error: `transact` rolls back
tx.rollback
// @ts-expect-error: no statement without the types of the tables
pool.executeQuery
// @ts-expect-error: no statement without the types of the tables
reader.executeQuery
// @ts-expect-error: migrations create the tables
pool.schema
// @ts-expect-error: no access to a single connection
pool.connection

// @ts-expect-error: no such table
pool.selectFrom('user')
// @ts-expect-error: no such column
pool.selectFrom('users').select('nickname')
// @ts-expect-error: a balance is a number
tx.updateTable('points').set({ point: '5' })
// @ts-expect-error: the time of a history row never changes
tx.updateTable('point_histories').set({ created_at: new Date() })
// @ts-expect-error: a status is one of four
tx.updateTable('orders').set({ status: 'lost' })
