import { describe, expect, it } from 'vitest'
import { clockAt } from '../setup/clock.ts'
import { expectRefused } from '../setup/refusals.ts'
import { openShop } from '../setup/shop.ts'

describe('points.balance', () => {
  it('returns the balance, its limit and the time of the last change', async () => {
    const clock = clockAt('2026-03-01T08:00:00.000Z')
    await using shop = await openShop({ now: clock.now })
    const { client } = await shop.givenUser()
    clock.set('2026-03-02T09:30:00.123Z')
    await client.points.charge.mutate({ amount: 250 })

    clock.set('2026-03-03T00:00:00.000Z')
    expect(await client.points.balance.query()).toEqual({
      balance: 250,
      limit: 1_000_000,
      updatedAt: new Date('2026-03-02T09:30:00.123Z'),
    })
  })

  it('refuses token_missing', async () => {
    await using shop = await openShop()
    await expectRefused(shop, () => shop.client().points.balance.query(), 401, { code: 'token_missing' })
  })

  it('is 0 for a new user', async () => {
    const clock = clockAt('2026-03-01T08:00:00.000Z')
    await using shop = await openShop({ now: clock.now })
    const { client } = await shop.givenUser()

    expect(await client.points.balance.query()).toEqual({ balance: 0, limit: 1_000_000, updatedAt: clock.now() })
  })

  it("returns each user's own balance", async () => {
    await using shop = await openShop()
    const rich = await shop.givenUser({ points: 900 })
    const poor = await shop.givenUser({ points: 1 })

    expect(await rich.client.points.balance.query()).toMatchObject({ balance: 900 })
    expect(await poor.client.points.balance.query()).toMatchObject({ balance: 1 })
  })
})
