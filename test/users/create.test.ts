import { describe, expect, it } from 'vitest'
import { expectInvalid, expectRefused, runConcurrently, times } from '../setup/refusals.ts'
import { openShop } from '../setup/shop.ts'

describe('users.create', () => {
  it('creates a user with an empty wallet', async () => {
    await using shop = await openShop()
    const admin = await shop.admin()

    const user = await admin.users.create.mutate({ name: 'Ada' })

    expect(user).toEqual({ id: expect.any(Number), name: 'Ada', createdAt: expect.any(Date) })
    const client = shop.client({ token: await shop.userToken(user.id) })
    expect(await client.points.balance.query()).toMatchObject({ balance: 0 })
  })

  it('refuses name_taken and changes nothing', async () => {
    await using shop = await openShop()
    const admin = await shop.admin()
    await shop.givenUser({ name: 'Ada' })

    await expectRefused(shop, () => admin.users.create.mutate({ name: 'Ada' }), 409, {
      code: 'name_taken',
      name: 'Ada',
    })
  })

  it('refuses name_taken for the name of a removed user', async () => {
    await using shop = await openShop()
    const admin = await shop.admin()
    const { id: userId } = await shop.givenUser({ name: 'Ada' })
    await admin.users.remove.mutate({ userId })

    await expectRefused(shop, () => admin.users.create.mutate({ name: 'Ada' }), 409, {
      code: 'name_taken',
      name: 'Ada',
    })
  })

  it('refuses not_allowed to a user and changes nothing', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()

    await expectRefused(shop, () => client.users.create.mutate({ name: 'Eve' }), 403, { code: 'not_allowed' })
  })

  it('creates one user with one wallet when ten calls use the same name at once', async () => {
    await using shop = await openShop()

    // The connections are already open, so all ten calls read before any of them writes.
    for (const name of ['Ada', 'Ben', 'Cid', 'Dan']) {
      const { answers, refusals } = await runConcurrently(times(10, () => shop.asAdmin().users.create({ name })))

      expect(answers).toHaveLength(1)
      expect(refusals).toEqual({ name_taken: 9 })
    }
  })

  it.each(['', ' ', 'u'.repeat(151), '\ud800'])('rejects the name %j as invalid', async (name) => {
    await using shop = await openShop()
    const admin = await shop.admin()

    await expectInvalid(shop, () => admin.users.create.mutate({ name }))
  })

  it('accepts a name of 150 characters', async () => {
    await using shop = await openShop()
    const admin = await shop.admin()

    expect(await admin.users.create.mutate({ name: '界'.repeat(150) })).toMatchObject({ name: '界'.repeat(150) })
  })
})
