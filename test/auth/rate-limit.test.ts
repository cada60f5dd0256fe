import { describe, expect, it } from 'vitest'
import { snapshot } from '../setup/database.ts'
import { get, post } from '../setup/raw-http.ts'
import { openShop } from '../setup/shop.ts'
import { loggedErrors } from '../setup/trpc-wire.ts'

/** A shop that trusts one proxy to report the client's address. */
const openLimited = (rateLimit: number) => openShop({ config: { rateLimit, trustProxy: 1 } })

const from = (address: string) => ({ 'x-forwarded-for': address })

async function statusesOf(count: number, call: () => Promise<{ status: number }>): Promise<number[]> {
  const statuses: number[] = []
  for (let n = 0; n < count; n++) statuses.push((await call()).status)
  return statuses
}

describe('the rate limit', () => {
  it('allows RATE_LIMIT calls of an address in a minute, and refuses further calls with rate_limited', async () => {
    await using shop = await openLimited(5)
    const call = (address: string) => get(shop, 'products.topSelling', { headers: from(address) })

    expect(await statusesOf(6, () => call('192.0.2.1'))).toEqual([200, 200, 200, 200, 200, 429])
    expect(await call('192.0.2.2')).toMatchObject({ status: 200 })
  })

  it('counts connections without a remote address as one caller, and logs no error', async () => {
    await using shop = await openShop({ config: { rateLimit: 2 } })
    shop.app.server.prependListener('connection', (socket) => Object.defineProperty(socket, 'remoteAddress', {}))
    expect(await statusesOf(3, () => get(shop, 'products.topSelling'))).toEqual([200, 200, 429])
    expect(loggedErrors(shop)).toEqual([])
  })

  it('refuses with rate_limited and the time to wait, and changes nothing', async () => {
    await using shop = await openLimited(1)
    const { token } = await shop.givenUser()
    const charge = () => post(shop, 'points.charge', { token, input: { amount: 10 } })
    await charge()
    const before = await snapshot(shop.db)
    shop.statements.length = 0

    const answer = await charge()

    expect(answer).toMatchObject({ status: 429, refusal: { code: 'rate_limited', retry: 'same-key' } })
    const { afterMs } = answer.refusal as { afterMs: number }
    expect(afterMs).toBeGreaterThan(0)
    expect(afterMs).toBeLessThanOrEqual(60_000)
    expect(answer.headers.get('retry-after')).toBe(String(Math.ceil(afterMs / 1_000)))
    expect(shop.statements).toEqual([])
    expect(await snapshot(shop.db)).toEqual(before)
  })

  it('counts the calls of a user from all addresses together', async () => {
    await using shop = await openLimited(5)
    const [alice, bob] = [await shop.givenUser(), await shop.givenUser()]
    let address = 0
    const call = ({ token }: { token: string }) =>
      get(shop, 'users.me', { token, headers: from(`192.0.2.${++address}`) })

    expect(await statusesOf(6, () => call(alice))).toEqual([200, 200, 200, 200, 200, 429])
    expect(await call(bob)).toMatchObject({ status: 200 })
  })

  it('counts the calls of all users of an address together', async () => {
    await using shop = await openLimited(4)
    const users = await shop.givenUsers(2)
    const tokens = [...users, ...users, ...users].map(({ token }) => token)

    expect(
      await statusesOf(5, () => get(shop, 'users.me', { token: tokens.pop() ?? '', headers: from('192.0.2.1') })),
    ).toEqual([200, 200, 200, 200, 429])
  })

  it('counts each call of a batch', async () => {
    await using shop = await openLimited(12)
    const batch = () => fetch(`${shop.url}/trpc/${Array(10).fill('products.topSelling').join(',')}?batch=1`)
    const codesOf = async (response: Response) => {
      const answers = (await response.json()) as { error?: { json: { data: { refusal: { code: string } } } } }[]
      return answers.map(({ error }) => error?.json.data.refusal.code)
    }

    expect(await codesOf(await batch())).toEqual(Array(10).fill(undefined))
    const second = await batch()
    expect(second.headers.get('retry-after')).toMatch(/^\d+$/)
    expect((await codesOf(second)).toSorted()).toEqual([...Array(8).fill('rate_limited'), undefined, undefined])
  })

  it('counts calls whose token is missing or invalid, so that guessing tokens is limited', async () => {
    await using shop = await openLimited(2)

    expect(await statusesOf(3, () => get(shop, 'users.me', { token: 'abc' }))).toEqual([401, 401, 429])
  })

  it('uses the address that the trusted proxies report, and ignores forged headers', async () => {
    await using shop = await openShop({ config: { rateLimit: 2, trustProxy: 0 } })
    let address = 0
    const call = () => get(shop, 'products.topSelling', { headers: from(`192.0.2.${++address}`) })

    expect(await statusesOf(3, call)).toEqual([200, 200, 429])

    await using behind = await openLimited(2)
    const forged = () => get(behind, 'products.topSelling', { headers: from(`192.0.2.${++address}, 198.51.100.1`) })
    expect(await statusesOf(3, forged)).toEqual([200, 200, 429])
  })

  it('does not count health checks', async () => {
    await using shop = await openLimited(1)

    expect(await statusesOf(3, () => fetch(`${shop.url}/livez`))).toEqual([200, 200, 200])
  })
})
