import { describe, expect, it } from 'vitest'
import { eventsOf, snapshot } from '../setup/database.ts'
import { expectInvalid, expectRefused } from '../setup/refusals.ts'
import { item, newKey, openShop } from '../setup/shop.ts'

describe('points.charge', () => {
  it('adds the points and writes one history row and one event', async () => {
    await using shop = await openShop()
    const { id: userId, client } = await shop.givenUser({ points: 300 })

    const charged = await client.points.charge.mutate({ amount: 200 })

    const { historyId } = charged
    expect(charged).toEqual({ historyId: expect.any(Number), amount: 200, balance: 500, replayed: false })
    expect(await client.points.balance.query()).toMatchObject({ balance: 500 })
    const { items } = await client.points.histories.query()
    expect(items).toHaveLength(2)
    expect(items[0]).toMatchObject({ id: historyId, type: 'CHARGE', amount: 200, balance: 500 })
    expect((await eventsOf(shop.db, 'points.charged')).at(-1)).toEqual({
      type: 'points.charged',
      key: `user:${userId}`,
      payload: { userId, historyId, amount: 200, balance: 500 },
    })
  })

  it('returns the first charge, with the balance after it, when the key is repeated', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()
    const call = { amount: 100, idempotencyKey: newKey() }
    const first = await client.points.charge.mutate(call)
    await client.points.charge.mutate({ amount: 50 })
    const before = await snapshot(shop.db)

    expect(await client.points.charge.mutate(call)).toEqual({ ...first, balance: 100, replayed: true })
    expect(await snapshot(shop.db)).toEqual(before)
  })

  it('refuses points_limit_exceeded and changes nothing', async () => {
    await using shop = await openShop()
    const full = await shop.givenUser({ points: 1_000_000 })
    const nearly = await shop.givenUser({ points: 1 })

    await expectRefused(shop, () => full.client.points.charge.mutate({ amount: 1 }), 409, {
      code: 'points_limit_exceeded',
      balance: 1_000_000,
      limit: 1_000_000,
    })
    for (const amount of [1_000_000, 2_147_483_648, Number.MAX_SAFE_INTEGER]) {
      await expectRefused(shop, () => nearly.client.points.charge.mutate({ amount }), 409, {
        code: 'points_limit_exceeded',
        balance: 1,
        limit: 1_000_000,
      })
    }
  })

  it('refuses idempotency_key_reused when the key is repeated with a different amount', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()
    const idempotencyKey = newKey()
    await client.points.charge.mutate({ amount: 100, idempotencyKey })

    await expectRefused(shop, () => client.points.charge.mutate({ amount: 101, idempotencyKey }), 422, {
      code: 'idempotency_key_reused',
    })
  })

  it('charges up to exactly the limit', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser({ points: 1 })

    expect(await client.points.charge.mutate({ amount: 999_999 })).toMatchObject({ balance: 1_000_000 })
  })

  it('charges a million points in one call', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()

    expect(await client.points.charge.mutate({ amount: 1_000_000 })).toMatchObject({ balance: 1_000_000 })
  })

  it('does not store a refusal: the same key succeeds once the wallet has room', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser({ points: 1_000_000 })
    const product = await shop.givenProduct({ price: 400 })
    const call = { amount: 300, idempotencyKey: newKey() }
    await expectRefused(shop, () => client.points.charge.mutate(call), 409, {
      code: 'points_limit_exceeded',
      balance: 1_000_000,
      limit: 1_000_000,
    })
    await client.orders.checkout.mutate({ items: [item(product)] })

    expect(await client.points.charge.mutate(call)).toMatchObject({ balance: 999_900, replayed: false })
  })

  it('treats equal keys of two users, and of two procedures, as different keys', async () => {
    await using shop = await openShop()
    const [alice, bob] = [await shop.givenUser(), await shop.givenUser()]
    const product = await shop.givenProduct({ price: 10 })
    const idempotencyKey = newKey()

    expect(await alice.client.points.charge.mutate({ amount: 10, idempotencyKey })).toMatchObject({ replayed: false })
    expect(await bob.client.points.charge.mutate({ amount: 20, idempotencyKey })).toMatchObject({
      balance: 20,
      replayed: false,
    })
    expect(await alice.client.orders.checkout.mutate({ items: [item(product)], idempotencyKey })).toMatchObject({
      balance: 0,
      replayed: false,
    })
  })

  it('compares keys without regard to case', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()
    const idempotencyKey = newKey()
    await client.points.charge.mutate({ amount: 5, idempotencyKey })

    expect(
      await client.points.charge.mutate({ amount: 5, idempotencyKey: idempotencyKey.toUpperCase() }),
    ).toMatchObject({ balance: 5, replayed: true })
  })

  it('charges twice when a call without a key is sent twice', async () => {
    await using shop = await openShop()
    const { id, client } = await shop.givenUser()
    await shop.asUser(id).points.charge({ amount: 7 })
    await shop.asUser(id).points.charge({ amount: 7 })

    expect(await client.points.balance.query()).toMatchObject({ balance: 14 })
  })

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])(
    'rejects the amount %s as invalid',
    async (amount) => {
      await using shop = await openShop()
      const { client } = await shop.givenUser()

      await expectInvalid(shop, () => client.points.charge.mutate({ amount }))
    },
  )

  it.each(['', 'x', 'a'.repeat(300), '☃'])('rejects the key %j as invalid', async (idempotencyKey) => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()

    await expectInvalid(shop, () => client.points.charge.mutate({ amount: 1, idempotencyKey }))
  })
})
