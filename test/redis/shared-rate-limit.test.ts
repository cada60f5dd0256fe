import { createCaller } from '@pointwise/server'
import { describe, expect, test } from 'vitest'
import { signUserToken } from '../setup/configuration.ts'
import { loggedErrors } from '../setup/trpc-wire.ts'
import { openSharedServers, type SharedServer } from './shared-servers.ts'
import { startValkey, valkeyIsMissing } from './valkey-server.ts'

const LIMIT = 60
const CALLS = 200
const config = { rateLimit: LIMIT, trustProxy: 1 }

/** Calls each server in turn, all at once, and returns how often each answer occurred on each server. */
async function callAll(servers: SharedServer[], path: string, headersOf: (call: number) => Record<string, string>) {
  const counts = servers.map(() => ({ ok: 0, refused: 0, other: 0 }))
  const calls = Array.from({ length: CALLS }, async (_, n) => {
    const index = n % servers.length
    const response = await fetch(`${servers[index]?.url}/trpc/${path}`, { headers: headersOf(n) })
    await response.text()
    const count = counts[index]
    if (count) count[response.status === 200 ? 'ok' : response.status === 429 ? 'refused' : 'other']++
    if (response.status === 429) expect(Number(response.headers.get('retry-after'))).toBeLessThanOrEqual(60)
  })
  await Promise.all(calls)
  const total = (name: 'ok' | 'refused' | 'other') => counts.reduce((sum, each) => sum + each[name], 0)
  return { counts, ok: total('ok'), refused: total('refused'), other: total('other') }
}

describe.skipIf(valkeyIsMissing)(
  `the rate limit of four servers${valkeyIsMissing ? ` (${valkeyIsMissing})` : ''}`,
  () => {
    test('is RATE_LIMIT for an address and for a user, whichever server they call', async () => {
      await using valkey = await startValkey()
      await using shared = await openSharedServers({ redisUrl: valkey.url, name: 'shared_limit', config })
      const { servers, db } = shared
      const sameAddress = await callAll(servers, 'products.topSelling', () => ({ 'x-forwarded-for': '192.0.2.1' }))
      expect(sameAddress).toMatchObject({ ok: LIMIT, refused: CALLS - LIMIT, other: 0 })

      const { id } = await createCaller({ db, admin: true }).users.create({ name: 'Ada' })
      const authorization = `Bearer ${await signUserToken(id)}`
      const sameUser = await callAll(servers, 'users.me', (n) => ({
        authorization,
        'x-forwarded-for': `198.51.100.${n}`,
      }))
      expect(sameUser).toMatchObject({ ok: LIMIT, refused: CALLS - LIMIT, other: 0 })

      const others = await callAll(servers, 'products.topSelling', (n) => ({ 'x-forwarded-for': `203.0.113.${n}` }))
      expect(others).toMatchObject({ ok: CALLS, refused: 0, other: 0 })
    })

    test('is that of each server while Redis is gone, and shared again when it is available', async () => {
      await using valkey = await startValkey()
      await using shared = await openSharedServers({ redisUrl: valkey.url, name: 'shared_limit', config, count: 2 })
      const { servers } = shared
      const from = (address: string) => () => ({ 'x-forwarded-for': address })
      // Redis is killed while calls are under way.
      const interrupted = callAll(servers, 'products.topSelling', (n) => ({ 'x-forwarded-for': `203.0.113.${n}` }))
      await valkey.kill()
      expect(await interrupted).toMatchObject({ ok: CALLS, refused: 0, other: 0 })
      await shared.untilAvailable(false)

      const alone = await callAll(servers, 'products.topSelling', from('192.0.2.1'))
      expect(alone.counts).toEqual(servers.map(() => ({ ok: LIMIT, refused: CALLS / 2 - LIMIT, other: 0 })))

      await valkey.start()
      await shared.untilAvailable()
      expect(await callAll(servers, 'products.topSelling', from('192.0.2.2'))).toMatchObject({ ok: LIMIT, other: 0 })
      for (const { redisLog, ...server } of servers) {
        expect(redisLog.map(({ level }) => level)).toEqual(['info', 'warn', 'info'])
        expect(loggedErrors(server)).toEqual([])
      }
    })
  },
)
