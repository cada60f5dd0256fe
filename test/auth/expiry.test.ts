import { afterEach, describe, expect, it, vi } from 'vitest'
import { openShop } from '../setup/shop.ts'

const LEEWAY_SECONDS = 5

afterEach(() => void vi.useRealTimers())

/** The statuses of calls with the token of a user, at these times in milliseconds. */
async function statusesAt(claims: { exp: number; nbf?: number }, times: number[]): Promise<number[]> {
  await using shop = await openShop()
  const { id } = await shop.givenUser()
  const headers = { authorization: `Bearer ${await shop.token({ sub: String(id), ...claims })}` }
  const statuses: number[] = []
  vi.useFakeTimers({ toFake: ['Date'] })
  for (const time of times) {
    vi.setSystemTime(time)
    statuses.push((await fetch(`${shop.url}/trpc/users.me`, { headers })).status)
  }
  vi.useRealTimers()
  return statuses
}

describe('a token', () => {
  it('is refused as soon as it has expired for five seconds, also when it was verified before', async () => {
    const exp = Math.floor(Date.now() / 1_000) + 60
    const end = (exp + LEEWAY_SECONDS) * 1_000
    expect(await statusesAt({ exp }, [exp * 1_000 - 60_000, exp * 1_000, end - 1_000, end, end + 1])).toEqual([
      200, 200, 200, 401, 401,
    ])
    expect(await statusesAt({ exp }, [end - 1_000])).toEqual([200])
    expect(await statusesAt({ exp }, [end])).toEqual([401])
  })

  it('is accepted from five seconds before it is valid', async () => {
    const nbf = Math.floor(Date.now() / 1_000) + 60
    const start = (nbf - LEEWAY_SECONDS) * 1_000
    expect(await statusesAt({ exp: nbf + 60, nbf }, [start - 1_000, start, nbf * 1_000])).toEqual([401, 200, 200])
  })
})
