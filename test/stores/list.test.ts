import { describe, expect, it } from 'vitest'
import { openShop } from '../setup/shop.ts'

describe('stores.list', () => {
  it('lists every store by name without a token', async () => {
    await using shop = await openShop()
    const [second, first] = [await shop.givenStore('Beta'), await shop.givenStore('Alpha')]

    expect(await shop.client().stores.list.query()).toEqual([first, second])
  })

  it('is empty before the first store', async () => {
    await using shop = await openShop()

    expect(await shop.client().stores.list.query()).toEqual([])
  })
})
