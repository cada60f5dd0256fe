import { type Pool, type Reader, readSnapshot, transact } from '@pointwise/db'
import { audit } from '@pointwise/server'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { emptyDatabase, run } from '../setup/database.ts'
import { selectOpenTransactions } from '../setup/open-transactions.ts'
import { item, openShop } from '../setup/shop.ts'

const ROUNDS = 5

/** The number of rows and tables that the connection's transaction has locked. */
async function locksOf(connection: Reader, db: Pool) {
  const [session] = await run<{ id: number }>(connection, 'select connection_id() as id')
  const statement = `select trx_rows_locked as \`rows\`, trx_tables_locked as \`tables\` from information_schema.innodb_trx
    where trx_mysql_thread_id = ${session?.id}`
  return selectOpenTransactions(db, statement)
}

describe('An audit of a shop in use', () => {
  test('finds nothing while users charge, buy, cancel and are refunded, and products change', async () => {
    await using shop = await openShop({ database: { connections: 20 } })
    const cheapProduct = () => shop.givenProduct({ price: 1, stock: 1_000_000 })
    const products = [await cheapProduct(), await cheapProduct()]
    const users = await shop.givenUsers(6, { points: 10_000 })
    let [isOpen, checkouts, updates] = [true, 0, 0]
    const callProcedures = async ({ id }: { id: number }, first: number) => {
      const user = shop.asUser(id)
      for (let call = first; isOpen; call++) {
        const items = products.map((product) => item(product, 1 + (call % 3)))
        const { order } = await user.orders.checkout({ items })
        checkouts++
        if (call % 4 === 0) await shop.asAdmin().payments.refund({ orderId: order.id })
        const { id: orderId } = await user.orders.place({ items })
        if (call % 2 === 0) await user.orders.cancel({ orderId })
        await user.points.charge({ amount: 1 })
        // Rolled-back transactions leave gaps in the ids of the events.
        const tooMuch = user.points.charge({ amount: 1_000_000 })
        await expect(tooMuch).rejects.toThrow()
      }
    }
    const changeProducts = async () => {
      const admin = shop.asAdmin()
      const { storeId } = await admin.products.get({ productId: products[0]?.id ?? 0 })
      for (let call = 0; isOpen; call++) {
        for (const { id: productId } of products) {
          await admin.products.restock({ productId, quantity: call % 3 === 0 ? -1 : 2 })
          await admin.products.update({ productId, name: `Name ${call}` })
        }
        const { id: productId } = await admin.products.create({ storeId, name: `New ${call}`, price: 5, stock: 1 })
        await admin.products.remove({ productId })
        updates++
      }
    }
    const checkoutsDuring: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      isOpen = true
      const calls = [...users.map(callProcedures), changeProducts(), changeProducts()]
      const before = checkouts
      const { checks } = await audit(shop.db, { chunkSize: 200 })
      checkoutsDuring.push(checkouts - before)
      isOpen = false
      await Promise.all(calls)
      expect(checks.flatMap(({ findings }) => findings)).toEqual([])
    }
    expect(Math.max(...checkoutsDuring), 'checkouts during an audit').toBeGreaterThan(0)
    expect(updates).toBeGreaterThan(0)
  })

  test('reads one snapshot: it does not see changes that commit after its first read', async () => {
    await using shop = await openShop()
    const user = await shop.givenUser({ points: 500 })
    let charged: Promise<unknown> | undefined
    const { sound, checks } = await audit(shop.db, {
      // After the wallets were read and before their history is.
      progress: (step) => {
        if (step === 'points') charged ??= user.client.points.charge.mutate({ amount: 100 })
      },
    })
    await charged
    expect(sound).toBe(true)
    expect(checks.find(({ name }) => name === 'chains')?.rows).toBe(1)
    expect((await audit(shop.db)).checks.find(({ name }) => name === 'chains')?.rows).toBe(2)
  })
})

describe('readSnapshot', () => {
  let db: Pool
  beforeEach(async () => {
    ;({ db } = await emptyDatabase({ connections: 2 }))
  })
  afterEach(() => db.destroy())

  const insert = (name: string) => transact(db, (tx) => tx.insertInto('users').values({ name }).execute())
  const names = async (from: Reader) =>
    (await from.selectFrom('users').select('name').orderBy('id').execute()).map((row) => row.name)

  test('reads one snapshot while other transactions commit, and takes no locks', async () => {
    await insert('Ada')
    const result = await readSnapshot(db, async (snapshot) => {
      const first = await names(snapshot)
      await insert('Ben')
      await transact(db, (tx) => tx.updateTable('users').set({ name: 'Eve' }).where('name', '=', 'Ada').execute())
      return { first, second: await names(snapshot), locks: await locksOf(snapshot, db) }
    })
    expect(result).toEqual({ first: ['Ada'], second: ['Ada'], locks: [{ rows: 0, tables: 0 }] })
    expect(await names(db)).toEqual(['Eve', 'Ben'])
  })

  test('cannot write', async () => {
    const writing = readSnapshot(db, (snapshot) => run(snapshot, `insert into users (name) values ('Ada')`))
    await expect(writing).rejects.toMatchObject({ errno: 1792 })
    expect(await names(db)).toEqual([])
  })

  test.each(['returns', 'throws'])('restores the settings of the connection when the callback %s', async (ending) => {
    const pool = (await emptyDatabase({ connections: 1 })).db
    const failure = new Error('The callback failed.')
    const reading = readSnapshot(pool, async (snapshot) => {
      await names(snapshot)
      if (ending === 'throws') throw failure
      return 'done'
    })
    await (ending === 'throws' ? expect(reading).rejects.toBe(failure) : expect(reading).resolves.toBe('done'))
    const seen = await transact(pool, async (tx) => {
      await tx.insertInto('users').values({ name: 'Ada' }).execute()
      const before = await names(tx)
      await insert('Ben')
      return [before, await names(tx)]
    })
    expect(seen, 'the next transaction is READ COMMITTED and writes').toEqual([['Ada'], ['Ada', 'Ben']])
    await pool.destroy()
  })
})
