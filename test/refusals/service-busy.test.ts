import { describe, expect, it } from 'vitest'
import { holdConnection, holdLocks, snapshot } from '../setup/database.ts'
import { get, post } from '../setup/raw-http.ts'
import { item, openShop } from '../setup/shop.ts'

const BUSY = { code: 'service_busy', retry: 'same-key', afterMs: expect.any(Number) }

describe('when the database is busy, a call', () => {
  it('is refused with service_busy in bounded time and changes nothing while another transaction holds a row lock', async () => {
    await using shop = await openShop({ database: { lockWaitSeconds: 1 } })
    const [payer, charger] = [await shop.givenUser({ points: 1_000 }), await shop.givenUser()]
    const product = await shop.givenProduct()
    const { id: orderId } = await payer.client.orders.place.mutate({ items: [item(product)] })
    const admin = await shop.adminToken()
    const before = await snapshot(shop.db)
    const startedAt = performance.now()
    {
      await using _stock = await holdLocks(
        shop.databaseUrl,
        `select * from stock where product_id = ${product.id} for update`,
      )
      await using _wallet = await holdLocks(
        shop.databaseUrl,
        `select * from points where user_id = ${charger.id} for update`,
      )

      const responses = await Promise.all([
        post(shop, 'payments.pay', { token: payer.token, input: { orderId } }),
        post(shop, 'orders.checkout', { token: payer.token, input: { items: [item(product)] } }),
        post(shop, 'products.restock', { token: admin, input: { productId: product.id, quantity: 1 } }),
        post(shop, 'points.charge', { token: charger.token, input: { amount: 1 } }),
      ])

      for (const response of responses) {
        expect(response).toMatchObject({ status: 503, refusal: BUSY })
        expect(response.headers.get('retry-after')).toBe('1')
      }
      expect(performance.now() - startedAt).toBeLessThan(15_000)
    }

    expect(await snapshot(shop.db)).toEqual(before)
    expect(await payer.client.payments.pay.mutate({ orderId })).toMatchObject({ balance: 900, replayed: false })
  })

  it('that needs other rows does not wait for the lock', async () => {
    await using shop = await openShop({ database: { lockWaitSeconds: 1 } })
    const { client } = await shop.givenUser({ points: 1_000 })
    const [locked, free] = [await shop.givenProduct(), await shop.givenProduct()]
    await using _ = await holdLocks(shop.databaseUrl, `select * from stock where product_id = ${locked.id} for update`)

    expect(await client.orders.checkout.mutate({ items: [item(free)] })).toMatchObject({ balance: 900 })
    expect(await client.orders.place.mutate({ items: [item(locked)] })).toMatchObject({ status: 'pending' })
    expect(await client.products.list.query()).toMatchObject({ totalItems: 2 })
  })

  it('is refused with service_busy in bounded time and changes nothing while every connection is in use', async () => {
    await using shop = await openShop({ database: { connections: 1 } })
    const { token, client } = await shop.givenUser()
    const before = await snapshot(shop.db)
    const startedAt = performance.now()
    {
      await using _ = await holdConnection(shop.db)

      const responses = await Promise.all([
        post(shop, 'points.charge', { token, input: { amount: 1 } }),
        get(shop, 'points.balance', { token }),
        get(shop, 'products.list'),
      ])

      for (const response of responses) {
        expect(response).toMatchObject({ status: 503, refusal: BUSY })
        expect(response.headers.get('retry-after')).toBe('1')
      }
      expect(performance.now() - startedAt).toBeLessThan(3_000)
    }

    expect(await snapshot(shop.db)).toEqual(before)
    expect(await client.points.charge.mutate({ amount: 1 })).toMatchObject({ balance: 1 })
  })

  it('that is refused with service_busy is not logged as an error', async () => {
    await using shop = await openShop({ database: { connections: 1 } })
    {
      await using _ = await holdConnection(shop.db)
      await get(shop, 'products.list')
    }

    expect(shop.log.map((line) => JSON.parse(line).level).filter((level) => level >= 50)).toEqual([])
  })
})
