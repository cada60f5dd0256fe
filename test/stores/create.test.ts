import { describe, expect, it } from 'vitest'
import { expectInvalid, expectRefused, runConcurrently, times } from '../setup/refusals.ts'
import { openShop } from '../setup/shop.ts'

describe('stores.create', () => {
  it('creates a store', async () => {
    await using shop = await openShop()
    const admin = await shop.admin()

    const store = await admin.stores.create.mutate({ name: 'Corner' })

    expect(store).toEqual({ id: expect.any(Number), name: 'Corner' })
    expect(await shop.client().stores.list.query()).toEqual([store])
  })

  it('refuses name_taken and changes nothing', async () => {
    await using shop = await openShop()
    const admin = await shop.admin()
    await shop.givenStore('Corner')

    for (const name of ['Corner', 'corner', 'Corner ']) {
      await expectRefused(shop, () => admin.stores.create.mutate({ name }), 409, {
        code: 'name_taken',
        name: name.trim(),
      })
    }
  })

  it('refuses not_allowed to a user and changes nothing', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()

    await expectRefused(shop, () => client.stores.create.mutate({ name: 'Mine' }), 403, { code: 'not_allowed' })
  })

  it('creates one store when ten calls use the same name at once', async () => {
    await using shop = await openShop()

    const { answers, refusals } = await runConcurrently(
      times(10, () => shop.asAdmin().stores.create({ name: 'Corner' })),
    )

    expect(answers).toHaveLength(1)
    expect(refusals).toEqual({ name_taken: 9 })
  })

  it('accepts two names that differ in an emoji', async () => {
    await using shop = await openShop()
    await shop.givenStore('🍎')

    expect(await shop.givenStore('🍏')).toMatchObject({ name: '🍏' })
  })

  it.each(['', '  ', 's'.repeat(51)])('rejects the name %j as invalid', async (name) => {
    await using shop = await openShop()
    const admin = await shop.admin()

    await expectInvalid(shop, () => admin.stores.create.mutate({ name }))
  })
})
