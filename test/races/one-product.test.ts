import { describe, expect, it } from 'vitest'
import { eventsOf } from '../setup/database.ts'
import { runConcurrently, times } from '../setup/refusals.ts'
import { item, openShop } from '../setup/shop.ts'

describe('concurrent changes of one product', () => {
  it('are stored as events in order, each with the stock that the previous events left', async () => {
    await using shop = await openShop({ database: { acquireTimeoutMs: 20_000 } })
    const { id: productId, ...product } = await shop.givenProduct({ price: 0, stock: 100 })
    const { id: userId } = await shop.givenUser()
    const admin = shop.asAdmin()

    const { refusals } = await runConcurrently<unknown>(
      times<unknown>(120, (n) => {
        if (n % 3 === 0) return admin.products.update({ productId, name: `name ${n}` })
        if (n % 3 === 1) return admin.products.restock({ productId, quantity: 2 })
        return shop.asUser(userId).orders.checkout({ items: [item({ id: productId, ...product })] })
      }),
    )

    expect(refusals).toEqual({})
    const events = (await eventsOf(shop.db)).map(({ type, payload }) => ({ type, ...payload, ...payload.items?.[0] }))
    let stock = 100
    for (const event of events.filter((each) => each.productId === productId)) {
      stock += { 'product.restocked': 2, 'order.paid': -1 }[event.type as string] ?? 0
      expect(event).toMatchObject({ stock })
    }
  })
})
