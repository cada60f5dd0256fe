import { describe, expect, it, test } from 'vitest'
import { clientNetwork } from '../../server/src/auth/client-address.ts'
import { RateLimiter } from '../../server/src/auth/rate-limiter.ts'
import { get } from '../setup/raw-http.ts'
import { openShop, type Shop } from '../setup/shop.ts'

const MINUTE_MS = 60_000
const MANY = 100_000

function limiterAt(time: number, callsPerMinute: number) {
  const clock = { time, now: () => clock.time }
  return { clock, limiter: new RateLimiter(callsPerMinute, clock) }
}

const refused = (limiter: RateLimiter, key: string) => {
  try {
    limiter.consume(key)
    return undefined
  } catch (error) {
    return (error as { refusal?: unknown }).refusal
  }
}

describe('the limiter', () => {
  it('has a window of one minute for each key, and reports the time until its end', () => {
    const { clock, limiter } = limiterAt(0, 2)
    limiter.consume('a')
    clock.time = 40_000
    limiter.consume('a')
    limiter.consume('b')

    expect(refused(limiter, 'a')).toEqual({ code: 'rate_limited', retry: 'same-key', afterMs: 20_000 })
    clock.time = MINUTE_MS
    expect(refused(limiter, 'a')).toBeUndefined()
    expect(refused(limiter, 'b')).toBeUndefined()
    expect(refused(limiter, 'b')).toMatchObject({ afterMs: 40_000 })
  })

  it('does not extend a window for refused calls', () => {
    const { clock, limiter } = limiterAt(0, 1)
    limiter.consume('a')
    for (clock.time = 1; clock.time < MINUTE_MS; clock.time += 1_000) expect(refused(limiter, 'a')).toBeDefined()
    clock.time = MINUTE_MS
    expect(refused(limiter, 'a')).toBeUndefined()
  })

  it('counts 100,000 keys, and drops them after their windows have ended', () => {
    const { clock, limiter } = limiterAt(0, 1)
    for (let n = 1; n < MANY; n++) limiter.consume(`address:${n}`)
    clock.time = MINUTE_MS - 1
    limiter.consume('the last')
    for (const key of ['address:1', `address:${MANY - 1}`, 'the last']) expect(refused(limiter, key)).toBeDefined()
    expect(limiter.size).toBe(MANY)

    clock.time = MINUTE_MS
    expect(refused(limiter, 'address:1')).toBeUndefined()
    expect(refused(limiter, 'the last')).toMatchObject({ afterMs: MINUTE_MS - 1 })
    clock.time = 2 * MINUTE_MS
    expect(refused(limiter, 'the last')).toBeUndefined()
    expect(limiter.size).toBeLessThanOrEqual(2)
    clock.time = 9 * MINUTE_MS
    limiter.consume('another')
    expect(limiter.size).toBe(1)
  })

  it('holds at most 200,000 keys', () => {
    const { limiter } = limiterAt(0, 1)
    let sizeMax = 0
    for (let n = 0; n < 3 * MANY; n++) {
      limiter.consume(`address:${n}`)
      sizeMax = Math.max(sizeMax, limiter.size)
    }
    expect(sizeMax).toBe(2 * MANY)
    expect(refused(limiter, `address:${3 * MANY - 1}`)).toBeDefined()
    expect(refused(limiter, 'address:0')).toBeUndefined()
  })
})

describe('the network of an address', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2:ffff:ffff:ffff:ffff', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002:0000:0000:0000:0001', '2001:db8:1:2::/64'],
    ['2001:db8:1:3::1', '2001:db8:1:3::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['1::', '1:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['fe80::1%25eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.1', '192.0.2.1'],
    ['64:ff9b::c000:201', '192.0.2.1'],
    ['::ffff:0:192.0.2.1', '0:0:0:0::/64'],
    ['2001:db8:1:2:3:4:192.0.2.1', '2001:db8:1:2::/64'],
    ['192.0.2.1:4000', '192.0.2.1'],
    ['192.0.2.1:', '192.0.2.1'],
    ['"192.0.2.1:4000"', '192.0.2.1'],
    ['[192.0.2.1]:4000', '192.0.2.1'],
    ['[2001:db8:1:2::5]', '2001:db8:1:2::/64'],
    ['[2001:db8:1:2::5]:4000', '2001:db8:1:2::/64'],
    ['"[2001:db8:1:2::5]:4000"', '2001:db8:1:2::/64'],
    ['[fe80::1%eth0]:4000', 'fe80:0:0:0::/64'],
    ['[::ffff:192.0.2.1]:4000', '192.0.2.1'],
    ['::ffff:192.0.2.1:4000', 'unknown'],
    [' 192.0.2.1\t', '192.0.2.1'],
    ['unknown', 'unknown'],
    ['Unknown:4000', 'unknown'],
    ['_hidden', 'unknown'],
    ['_hidden:4000', 'unknown'],
    ['_SEVKISEK', 'unknown'],
    ['', 'unknown'],
    [undefined, 'unknown'],
    ['192.0.2', 'unknown'],
    ['192.0.2.01', 'unknown'],
    ['192.0.2.1/24', 'unknown'],
    ['host.example', 'unknown'],
    ['[2001:db8::5', 'unknown'],
    ['x'.repeat(9_000), 'unknown'],
  ])('%.30s → %.30s', (address, network) => {
    expect(clientNetwork(address)).toBe(network)
  })
})

/** The text of a stream that the server ends. */
async function openRefusedStreamFrom(shop: Shop, input: string, address: string): Promise<string> {
  const headers = { 'x-forwarded-for': address }
  return (await fetch(`${shop.url}/trpc/products.onStock?input=${input}`, { headers })).text()
}

describe('the rate limit behind a proxy', () => {
  const statusesFrom = async (trustProxy: number, addresses: string[]) => {
    await using shop = await openShop({ config: { rateLimit: 2, trustProxy } })
    const statuses: number[] = []
    for (const address of addresses) {
      statuses.push((await get(shop, 'products.topSelling', { headers: { 'x-forwarded-for': address } })).status)
    }
    return statuses
  }

  test('counts the addresses of an IPv6 /64 network together', async () => {
    const network = ['2001:db8:1:2::1', '2001:db8:1:2::2', '2001:db8:1:2:3::', '2001:db8:1:3::1']
    expect(await statusesFrom(1, network)).toEqual([200, 200, 429, 200])
  })

  test('ignores what a client writes before the addresses that trusted proxies add', async () => {
    const forged = (real: string) => [1, 2, 3].map((n) => `192.0.2.${n}, ${real}`)
    expect(await statusesFrom(1, forged('198.51.100.1'))).toEqual([200, 200, 429])
    expect(await statusesFrom(2, forged('198.51.100.1, 203.0.113.1'))).toEqual([200, 200, 429])
  })

  test.each([
    ['an IPv4 address with ports', (n: number) => `192.0.2.1:${4_000 + n}`],
    ['an IPv6 address with ports', (n: number) => `[2001:db8::5]:${4_000 + n}`],
    [
      'an IPv4 address in several forms',
      (n: number) => ['192.0.2.1', '::ffff:192.0.2.1', '[::ffff:c000:201]:1'][n] ?? '',
    ],
    ['zones', (n: number) => `fe80::1%eth${n}`],
    ['obfuscated identifiers', (n: number) => `_hidden${n}`],
    ['unknown', () => 'unknown'],
  ])('counts %s as one caller', async (_, entry) => {
    expect(await statusesFrom(1, [0, 1, 2].map(entry))).toEqual([200, 200, 429])
  })

  test('limits the streams of a caller whatever the port', async () => {
    const streams = { perCaller: 2, total: 100 }
    await using shop = await openShop({ config: { trustProxy: 1, streams } })
    const product = await shop.givenProduct()
    const input = encodeURIComponent(JSON.stringify({ json: { productIds: [product.id] } }))
    const aborted = new AbortController()
    const firstEvent = async (address: string) => {
      const headers = { 'x-forwarded-for': address }
      const { body } = await fetch(`${shop.url}/trpc/products.onStock?input=${input}`, {
        headers,
        signal: aborted.signal,
      })
      const { value } = (await body?.getReader().read()) ?? {}
      return new TextDecoder().decode(value)
    }
    for (const port of [1, 2]) expect(await firstEvent(`[2001:db8::5]:${port}`)).not.toContain('rate_limited')
    expect(await openRefusedStreamFrom(shop, input, '[2001:db8::6]:3')).toContain('rate_limited')
    aborted.abort()
  })

  test('ignores X-Forwarded-For when no proxy is trusted', async () => {
    expect(await statusesFrom(0, ['192.0.2.1', '2001:db8::1', '198.51.100.1'])).toEqual([200, 200, 429])
  })
})
