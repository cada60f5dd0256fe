import { describe, expect, it } from 'vitest'
import { clockAt } from '../setup/clock.ts'
import { expectInvalid, expectRefused } from '../setup/refusals.ts'
import { item, openShop } from '../setup/shop.ts'

describe('points.histories', () => {
  it('lists every change of the balance, newest first', async () => {
    const clock = clockAt('2026-03-01T08:00:00.001Z')
    await using shop = await openShop({ now: clock.now })
    const { client } = await shop.givenUser({ points: 500 })
    const product = await shop.givenProduct({ price: 120 })
    clock.set('2026-03-01T08:00:00.002Z')
    const { order } = await client.orders.checkout.mutate({ items: [item(product)] })
    clock.set('2026-03-01T08:00:00.003Z')
    await (await shop.admin()).payments.refund.mutate({ orderId: order.id })

    const { items, nextCursor } = await client.points.histories.query()

    const id = expect.any(Number)
    expect(items).toEqual([
      {
        id,
        type: 'REFUND',
        amount: 120,
        balance: 500,
        orderId: order.id,
        createdAt: new Date('2026-03-01T08:00:00.003Z'),
      },
      {
        id,
        type: 'USE',
        amount: -120,
        balance: 380,
        orderId: order.id,
        createdAt: new Date('2026-03-01T08:00:00.002Z'),
      },
      { id, type: 'CHARGE', amount: 500, balance: 500, orderId: null, createdAt: new Date('2026-03-01T08:00:00.001Z') },
    ])
    expect(nextCursor).toBeNull()
  })

  it('refuses token_missing', async () => {
    await using shop = await openShop()
    await expectRefused(shop, () => shop.client().points.histories.query(), 401, { code: 'token_missing' })
  })

  it('is empty for a new user', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()

    expect(await client.points.histories.query()).toEqual({ items: [], nextCursor: null })
  })

  it('returns pages without gaps and without duplicates', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()
    for (const amount of [1, 2, 3, 4, 5]) await client.points.charge.mutate({ amount })

    const first = await client.points.histories.query({ limit: 2 })
    await client.points.charge.mutate({ amount: 6 })
    const second = await client.points.histories.query({ limit: 2, cursor: first.nextCursor ?? '' })
    const third = await client.points.histories.query({ limit: 2, cursor: second.nextCursor ?? '' })

    expect([first, second, third].map(({ items }) => items.map(({ amount }) => amount))).toEqual([[5, 4], [3, 2], [1]])
    expect(third.nextCursor).toBeNull()
  })

  it('has no next page when the last page is exactly full', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()
    for (const amount of [1, 2]) await client.points.charge.mutate({ amount })

    expect(await client.points.histories.query({ limit: 2 })).toMatchObject({ nextCursor: null })
  })

  it('returns 20 rows per page by default and at most 50', async () => {
    await using shop = await openShop()
    const { id, client } = await shop.givenUser()
    const caller = shop.asUser(id)
    for (let n = 0; n < 51; n++) await caller.points.charge({ amount: 1 })

    expect((await client.points.histories.query()).items).toHaveLength(20)
    expect((await client.points.histories.query({ limit: 50 })).items).toHaveLength(50)
    await expectInvalid(shop, () => client.points.histories.query({ limit: 51 }))
    await expectInvalid(shop, () => client.points.histories.query({ limit: 0 }))
  })

  it("never lists another user's rows, whatever the cursor", async () => {
    await using shop = await openShop()
    const [alice, bob] = [await shop.givenUser(), await shop.givenUser()]
    for (const amount of [1, 2]) await alice.client.points.charge.mutate({ amount })
    await bob.client.points.charge.mutate({ amount: 30 })
    for (const amount of [3, 4]) await alice.client.points.charge.mutate({ amount })
    const { nextCursor } = await alice.client.points.histories.query({ limit: 1 })

    const { items } = await bob.client.points.histories.query({ cursor: nextCursor ?? '' })

    expect(items.map(({ amount }) => amount)).toEqual([30])
  })

  it.each(['', 'x', '7', 'after:7', '====', 'a'.repeat(100)])('rejects the cursor %j as invalid', async (cursor) => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()

    await expectInvalid(shop, () => client.points.histories.query({ cursor }))
  })
})
