import { setTimeout as delay } from 'node:timers/promises'
import { createCaller } from '@pointwise/server'
import { describe, expect, test } from 'vitest'
import { signUserToken } from '../setup/configuration.ts'
import { expectWithin } from '../setup/deadline.ts'
import { startTcpProxy } from '../setup/tcp-proxy.ts'
import { loggedErrors } from '../setup/trpc-wire.ts'
import { openSharedServers } from './shared-servers.ts'
import { startValkey, valkeyIsMissing } from './valkey-server.ts'

/** The most that Redis may add to a call. */
const ADDED_MS = 200
const PATHS = ['users.me', 'products.trending', 'products.topSelling', 'products.list']
const config = { rateLimit: 1_000, trustProxy: 1, rankingsTtlSeconds: 1 }
const open = (redisUrl: string) => openSharedServers({ redisUrl, name: 'hanging', config, count: 2, callMs: undefined })

type Opened = Awaited<ReturnType<typeof open>>

/** Calls the servers in turn with a user's token, several calls at once, and returns the longest duration. */
async function slowestOf({ servers }: Opened, { userId, calls }: { userId: number; calls: number }): Promise<number> {
  const authorization = `Bearer ${await signUserToken(userId)}`
  const durations = Array.from({ length: calls }, async (_, n) => {
    const path = PATHS[Math.floor(n / servers.length) % PATHS.length]
    const began = performance.now()
    const response = await fetch(`${servers[n % servers.length]?.url}/trpc/${path}`, { headers: { authorization } })
    await response.text()
    expect(response.status).toBe(200)
    return performance.now() - began
  })
  return Math.max(...(await Promise.all(durations)))
}

describe.skipIf(valkeyIsMissing)(`Redis that hangs${valkeyIsMissing ? ` (${valkeyIsMissing})` : ''}`, () => {
  test('delays the calls under way by less than 200 ms, later calls not at all, and is used again', async () => {
    await using valkey = await startValkey()
    await using shared = await open(valkey.url)
    const { id: userId } = await createCaller({ db: shared.db, admin: true }).users.create({ name: 'Ada' })
    await slowestOf(shared, { userId, calls: 40 })
    const usualMs = await slowestOf(shared, { userId, calls: 8 })

    await valkey.pause()
    expectWithin((await slowestOf(shared, { userId, calls: 8 })) - usualMs, ADDED_MS)
    await shared.untilAvailable(false)
    const durations: number[] = []
    for (let round = 0; round < 20; round++) {
      // Two or more attempts to reconnect run meanwhile, and no call waits for them.
      await delay(100)
      durations.push(await slowestOf(shared, { userId, calls: 1 }))
    }
    // One call may be slow because the machine is.
    expectWithin(durations.toSorted((a, b) => a - b).at(-2) ?? 0, 50)
    await valkey.resume()
    const resumedAt = performance.now()
    await shared.untilAvailable()
    expectWithin(performance.now() - resumedAt, 3_000)
    await slowestOf(shared, { userId, calls: 8 })
    for (const server of shared.servers) {
      expect(server.redisLog.map(({ level }) => level)).toEqual(['info', 'warn', 'info'])
      expect(loggedErrors(server)).toEqual([])
    }
  })

  test('is noticed by an idle server, so that its next call does not wait', async () => {
    await using valkey = await startValkey()
    await using shared = await open(valkey.url)
    const { id: userId } = await createCaller({ db: shared.db, admin: true }).users.create({ name: 'Ada' })
    await slowestOf(shared, { userId, calls: 8 })
    await valkey.pause()
    await shared.untilAvailable(false)
    expectWithin(await slowestOf(shared, { userId, calls: 1 }), 50)
  })

  test.each([20, 40, 60, 150])('and responds after %d ms delays each call by less than 200 ms', async (ms) => {
    await using valkey = await startValkey()
    await using proxy = await startTcpProxy(valkey.url)
    await using shared = await open(proxy.url.replace('http:', 'redis:'))
    const { id: userId } = await createCaller({ db: shared.db, admin: true }).users.create({ name: 'Ada' })
    await slowestOf(shared, { userId, calls: 8 })
    const added: number[] = []
    for (let round = 0; round < 3; round++) {
      // One server reads the rankings again, and the other one waits for them.
      await delay(2_000)
      const usualMs = await slowestOf(shared, { userId, calls: 8 })
      // Half of it in each direction.
      proxy.delayMs = ms / 2
      await delay(2_000)
      added.push((await slowestOf(shared, { userId, calls: 8 })) - usualMs)
      proxy.delayMs = 0
      await shared.untilAvailable()
    }
    expectWithin(added.toSorted((a, b) => a - b)[1] ?? 0, ADDED_MS)
  })
})
