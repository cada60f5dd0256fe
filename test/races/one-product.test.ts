import type { Db } from '@pointwise/db'
import { describe, expect, it, vi } from 'vitest'
import { eventsOf, holdLocks, run } from '../setup/database.ts'
import { atOnce, times } from '../setup/refusals.ts'
import { item, openShop } from '../setup/shop.ts'

describe('many changes of one product at once', () => {
  it('are told one after the other: each event has the stock that those before it left', async () => {
    await using shop = await openShop({ database: { acquireTimeoutMs: 20_000 } })
    const { id: productId, ...product } = await shop.givenProduct({ price: 0, stock: 100 })
    const { id: userId } = await shop.givenUser()
    const admin = shop.asAdmin()

    const { refusals } = await atOnce<unknown>(
      times<unknown>(120, (n) => {
        if (n % 3 === 0) return admin.products.update({ productId, name: `name ${n}` })
        if (n % 3 === 1) return admin.products.restock({ productId, quantity: 2 })
        return shop.asUser(userId).orders.checkout({ items: [item({ id: productId, ...product })] })
      }),
    )

    expect(refusals).toEqual({})
    const told = (await eventsOf(shop.db)).map(({ type, payload }) => ({ type, ...payload, ...payload.items?.[0] }))
    let stock = 100
    for (const event of told.filter((each) => each.productId === productId)) {
      stock += { 'product.restocked': 2, 'order.paid': -1 }[event.type as string] ?? 0
      expect(event).toMatchObject({ stock })
    }
  })

  it('refuses price_changed to a checkout that had to wait for the change', async () => {
    await using shop = await openShop({ database: { lockWaitSeconds: 20 } })
    const { id } = await shop.givenUser({ points: 100 })
    const product = await shop.givenProduct({ price: 10 })
    const change = () => shop.asAdmin().products.update({ productId: product.id, price: 11 })
    const buy = () => shop.asUser(id).orders.checkout({ items: [item(product)] })
    const calls: Promise<unknown>[] = []
    {
      await using _ = await holdLocks(
        shop.databaseUrl,
        `select * from stock where product_id = ${product.id} for update`,
      )
      for (const call of [change, buy]) {
        calls.push(atOnce<unknown>([call]))
        await waiting(shop.db, calls.length)
      }
    }

    expect(await Promise.all(calls)).toEqual([
      { answers: [expect.objectContaining({ price: 11 })], refusals: {} },
      { answers: [], refusals: { price_changed: 1 } },
    ])
  })
})

/** Until so many transactions of this database wait for a lock. */
async function waiting(db: Db, count: number): Promise<void> {
  await vi.waitFor(
    async () =>
      expect(
        await run(
          db,
          `select trx_id from information_schema.innodb_trx join information_schema.processlist
          on id = trx_mysql_thread_id where trx_state = 'LOCK WAIT' and db = database()`,
        ),
      ).toHaveLength(count),
    // InnoDB tells the same for 100 ms once it was asked.
    { timeout: 10_000, interval: 150 },
  )
}
