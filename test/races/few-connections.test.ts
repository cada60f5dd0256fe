import { describe, expect, it } from 'vitest'
import { runConcurrently } from '../setup/refusals.ts'
import { item, openShop } from '../setup/shop.ts'

describe('with more concurrent calls than connections', () => {
  it.each([1, 2, 10])(
    'four times as many orders as connections, of which there are %i: all are answered',
    async (connections) => {
      await using shop = await openShop({ database: { connections, acquireTimeoutMs: 20_000 } })
      const calls = connections * 4
      const buyers = await shop.givenUsers(calls, { points: 100 })
      const product = await shop.givenProduct({ price: 100, stock: calls })

      const items = [item(product)]
      const { answers, refusals } = await runConcurrently<unknown>(
        buyers.map(
          ({ client }, n) =>
            () =>
              n % 2 === 0 ? client.orders.checkout.mutate({ items }) : client.orders.place.mutate({ items }),
        ),
      )

      expect(refusals).toEqual({})
      expect(answers).toHaveLength(calls)
    },
  )

  it('every procedure needs one connection only', async () => {
    await using shop = await openShop({ database: { connections: 1 } })
    const admin = await shop.admin()
    const store = await admin.stores.create.mutate({ name: 'Corner' })
    const product = await admin.products.create.mutate({ storeId: store.id, name: 'Tea', price: 10, stock: 9 })
    const { client } = await shop.givenUser({ points: 100 })
    const { order } = await client.orders.checkout.mutate({ items: [item(product)] })
    const { id: orderId } = await client.orders.place.mutate({ items: [item(product)] })

    for (const call of [
      () => client.payments.pay.mutate({ orderId }),
      () => client.payments.get.query({ orderId: order.id }),
      () => client.points.balance.query(),
      () => client.points.histories.query(),
      () => client.orders.list.query(),
      () => client.orders.get.query({ orderId }),
      () => client.products.list.query({ storeId: store.id }),
      () => client.products.scroll.query({ storeId: store.id }),
      () => client.products.topSelling.query(),
      () => client.products.trending.query(),
      () => admin.payments.refund.mutate({ orderId: order.id }),
      () => admin.products.update.mutate({ productId: product.id, price: 11 }),
      () => admin.products.restock.mutate({ productId: product.id, quantity: 1 }),
      () => admin.users.create.mutate({ name: 'Ada' }),
      () => client.users.me.query(),
    ]) {
      await expect(call()).resolves.toBeDefined()
    }
  })
})
