import { describe, expect, it } from 'vitest'
import { holdConnection, holdLocks, snapshot } from '../setup/database.ts'
import { get, type post } from '../setup/raw-http.ts'
import { item, openShop } from '../setup/shop.ts'
import { callsDuringLocks, callsWithoutConnection, openOrderAndWallet } from './busy-database.ts'

const BUSY = { code: 'service_busy', retry: 'same-key', afterMs: expect.any(Number) }

function expectBusy(responses: Awaited<ReturnType<typeof post>>[]): void {
  for (const response of responses) {
    expect(response).toMatchObject({ status: 503, refusal: BUSY })
    expect(response.headers.get('retry-after')).toBe('1')
  }
}

describe('when the database is busy, a call', () => {
  it('is refused with service_busy and changes nothing while another transaction holds a row lock', async () => {
    await using shop = await openShop({ database: { lockWaitSeconds: 1 } })
    const given = await openOrderAndWallet(shop)
    const before = await snapshot(shop.db)

    expectBusy(await callsDuringLocks(shop, given))

    expect(await snapshot(shop.db)).toEqual(before)
    const { payer, orderId } = given
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

  it('is refused with service_busy and changes nothing while every connection is in use', async () => {
    await using shop = await openShop({ database: { connections: 1, acquireTimeoutMs: 1_500 } })
    const { token, client } = await shop.givenUser()
    const before = await snapshot(shop.db)

    expectBusy(await callsWithoutConnection(shop, token))

    expect(await snapshot(shop.db)).toEqual(before)
    expect(await client.points.charge.mutate({ amount: 1 })).toMatchObject({ balance: 1 })
  })

  it('that is refused with service_busy is not logged as an error', async () => {
    await using shop = await openShop({ database: { connections: 1, acquireTimeoutMs: 1_500 } })
    {
      await using _ = await holdConnection(shop.db)
      await get(shop, 'products.list')
    }

    expect(shop.log.map((line) => JSON.parse(line).level).filter((level) => level >= 50)).toEqual([])
  })
})
