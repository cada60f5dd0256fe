import { afterEach, describe, expect, it, vi } from 'vitest'
import { openShop } from '../setup/shop.ts'

afterEach(() => void vi.useRealTimers())

describe('a verified token', () => {
  it('is refused as soon as it expires', async () => {
    await using shop = await openShop()
    const { id } = await shop.givenUser()
    const exp = Math.floor(Date.now() / 1_000) + 60
    const headers = { authorization: `Bearer ${await shop.token({ sub: String(id), exp })}` }
    const status = async () => (await fetch(`${shop.url}/trpc/users.me`, { headers })).status
    expect(await status()).toBe(200)
    vi.useFakeTimers({ toFake: ['Date'], now: exp * 1_000 - 1 })
    expect(await status()).toBe(200)
    vi.setSystemTime(exp * 1_000)
    expect(await status()).toBe(401)
  })
})
