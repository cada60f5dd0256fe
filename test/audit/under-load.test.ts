import { type Pool, type Reader, readSnapshot, transact } from '@pointwise/db'
import { audit } from '@pointwise/server'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { emptyDatabase, run } from '../setup/database.ts'
import { selectOpenTransactions } from '../setup/open-transactions.ts'
import { item, openShop } from '../setup/shop.ts'

const ROUNDS = 5

/** What the transaction of a connection has locked. */
async function locksOf(connection: Reader, db: Pool) {
  const [session] = await run<{ id: number }>(connection, 'select connection_id() as id')
  const held = `select trx_rows_locked as \`rows\`, trx_tables_locked as \`tables\` from information_schema.innodb_trx
    where trx_mysql_thread_id = ${session?.id}`
  return selectOpenTransactions(db, held)
}

describe('an audit of a running shop', () => {
  test('finds nothing while customers charge, buy, cancel and are refunded', async () => {
    await using shop = await openShop({ database: { connections: 20 } })
    const cheap = () => shop.givenProduct({ price: 1, stock: 1_000_000 })
    const products = [await cheap(), await cheap()]
    const users = await shop.givenUsers(6, { points: 10_000 })
    let [isOpen, bought] = [true, 0]
    const buy = async ({ id }: { id: number }, first: number) => {
      const user = shop.asUser(id)
      for (let call = first; isOpen; call++) {
        const items = products.map((product) => item(product, 1 + (call % 3)))
        const { order } = await user.orders.checkout({ items })
        bought++
        if (call % 4 === 0) await shop.asAdmin().payments.refund({ orderId: order.id })
        const { id: orderId } = await user.orders.place({ items })
        if (call % 2 === 0) await user.orders.cancel({ orderId })
        await user.points.charge({ amount: 1 })
      }
    }
    const during: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      isOpen = true
      const customers = users.map(buy)
      const before = bought
      const { checks } = await audit(shop.db, { chunkSize: 20 })
      during.push(bought - before)
      isOpen = false
      await Promise.all(customers)
      expect(checks.flatMap(({ findings }) => findings)).toEqual([])
    }
    expect(Math.max(...during), 'customers bought during an audit').toBeGreaterThan(0)
  })

  test('sees the books of one moment: what is committed after its first read is not in it', async () => {
    await using shop = await openShop()
    const user = await shop.givenUser({ points: 500 })
    let charged: Promise<unknown> | undefined
    const { sound, checks } = await audit(shop.db, {
      // Once the wallets were read, before their histories are.
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

describe('readConsistently', () => {
  let db: Pool
  beforeEach(async () => {
    ;({ db } = await emptyDatabase({ connections: 2 }))
  })
  afterEach(() => db.destroy())

  const insert = (name: string) => transact(db, (tx) => tx.insertInto('users').values({ name }).execute())
  const names = async (from: Reader) =>
    (await from.selectFrom('users').select('name').orderBy('id').execute()).map((row) => row.name)

  test('reads one moment, whatever others commit meanwhile, and locks nothing', async () => {
    await insert('Ada')
    const seen = await readSnapshot(db, async (snapshot) => {
      const first = await names(snapshot)
      await insert('Ben')
      await transact(db, (tx) => tx.updateTable('users').set({ name: 'Eve' }).where('name', '=', 'Ada').execute())
      return { first, second: await names(snapshot), locks: await locksOf(snapshot, db) }
    })
    expect(seen).toEqual({ first: ['Ada'], second: ['Ada'], locks: [{ rows: 0, tables: 0 }] })
    expect(await names(db)).toEqual(['Eve', 'Ben'])
  })

  test('cannot write', async () => {
    const writing = readSnapshot(db, (snapshot) => run(snapshot, `insert into users (name) values ('Ada')`))
    await expect(writing).rejects.toMatchObject({ errno: 1792 })
    expect(await names(db)).toEqual([])
  })

  test.each(['returns', 'throws'])('leaves the connection as it was when the work %s', async (ending) => {
    const one = (await emptyDatabase({ connections: 1 })).db
    const failure = new Error('The work failed.')
    const reading = readSnapshot(one, async (snapshot) => {
      await names(snapshot)
      if (ending === 'throws') throw failure
      return 'done'
    })
    await (ending === 'throws' ? expect(reading).rejects.toBe(failure) : expect(reading).resolves.toBe('done'))
    const seen = await transact(one, async (tx) => {
      await tx.insertInto('users').values({ name: 'Ada' }).execute()
      const before = await names(tx)
      await insert('Ben')
      return [before, await names(tx)]
    })
    expect(seen, 'READ COMMITTED again, and writes are allowed').toEqual([['Ada'], ['Ada', 'Ben']])
    await one.destroy()
  })
})
