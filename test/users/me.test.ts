import { describe, expect, it } from 'vitest'
import { expectRefused } from '../setup/refusals.ts'
import { openShop } from '../setup/shop.ts'

describe('users.me', () => {
  it('returns the user of the token', async () => {
    await using shop = await openShop()
    await shop.givenUser()
    const user = await (await shop.admin()).users.create.mutate({ name: 'Ada' })
    const client = shop.client({ token: await shop.userToken(user.id) })

    expect(await client.users.me.query()).toEqual({ id: user.id, name: 'Ada', createdAt: user.createdAt })
  })

  it('refuses token_missing', async () => {
    await using shop = await openShop()
    await expectRefused(shop, () => shop.client().users.me.query(), 401, { code: 'token_missing' })
  })

  it('refuses user_not_found for a user that never existed', async () => {
    await using shop = await openShop()
    for (const id of [1, Number.MAX_SAFE_INTEGER]) {
      const client = shop.client({ token: await shop.userToken(id) })
      await expectRefused(shop, () => client.users.me.query(), 401, { code: 'user_not_found' })
    }
  })

  it("returns the user of an admin's token that names a user", async () => {
    await using shop = await openShop()
    const { id, name } = await shop.givenUser()
    const client = shop.client({ token: await shop.token({ sub: String(id), role: 'admin' }) })

    expect(await client.users.me.query()).toMatchObject({ id, name })
  })
})
