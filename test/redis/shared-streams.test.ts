import { createCaller } from '@pointwise/server'
import { describe, expect, test } from 'vitest'
import { signUserToken } from '../setup/configuration.ts'
import { eventually } from '../setup/eventually.ts'
import { openRedis, untilAvailable } from './open-redis.ts'
import { openSharedServers } from './shared-servers.ts'
import { startValkey, valkeyIsMissing } from './valkey-server.ts'

const PER_CALLER = 4
const config = { streams: { perCaller: PER_CALLER, total: 100 } }

/** Opens a stream, and returns whether it was accepted. It remains open until it is aborted. */
async function openStream({ url }: { url: string }, token: string, signal: AbortSignal): Promise<boolean> {
  const headers = { authorization: `Bearer ${token}` }
  const { body } = await fetch(`${url}/trpc/points.onChange`, { headers, signal })
  const reader = body?.getReader()
  const { value } = (await reader?.read()) ?? {}
  // A refused stream begins with an event that has no id, and ends.
  const isAccepted = /\nid: \d/.test(new TextDecoder().decode(value))
  if (!isAccepted) await reader?.cancel()
  return isAccepted
}

describe.skipIf(valkeyIsMissing)(`STREAMS_PER_CALLER${valkeyIsMissing ? ` (${valkeyIsMissing})` : ''}`, () => {
  test('is the limit on all servers together, also after Redis has lost what it had', async () => {
    await using valkey = await startValkey()
    await using shared = await openSharedServers({ redisUrl: valkey.url, name: 'shared_streams', config, count: 3 })
    const { servers, db } = shared
    const { id } = await createCaller({ db, admin: true }).users.create({ name: 'Ada' })
    const token = await signUserToken(id)
    const opened: AbortController[] = []
    const open = async (server: (typeof servers)[number]) => {
      const abort = new AbortController()
      const isAccepted = await openStream(server, token, abort.signal)
      if (isAccepted) opened.push(abort)
      return isAccepted
    }
    const attempts = Array.from({ length: 9 }, (_, n) => open(servers[n % 3] ?? expect.fail()))
    expect((await Promise.all(attempts)).filter(Boolean)).toHaveLength(PER_CALLER)

    await valkey.kill()
    await shared.untilAvailable(false)
    await valkey.start()
    await shared.untilAvailable()
    using direct = openRedis(valkey.url)
    direct.redis.start()
    await untilAvailable(direct.redis)
    const counted = () => direct.redis.run((client) => client.zcard(`pointwise:streams:user:${id}`))
    await eventually(counted).toBe(PER_CALLER)
    for (const server of servers) expect(await open(server)).toBe(false)

    opened.pop()?.abort()
    await eventually(counted).toBe(PER_CALLER - 1)
    expect(await open(servers[2] ?? expect.fail())).toBe(true)
    for (const abort of opened) abort.abort()
    await eventually(counted).toBe(0)
  })

  test('does not count the streams of a server that was killed for longer than a minute', async () => {
    await using valkey = await startValkey()
    await using shared = await openSharedServers({ redisUrl: valkey.url, name: 'shared_streams', config, count: 1 })
    const { servers, db } = shared
    const { id } = await createCaller({ db, admin: true }).users.create({ name: 'Ada' })
    using direct = openRedis(valkey.url)
    direct.redis.start()
    await untilAvailable(direct.redis)
    const key = `pointwise:streams:user:${id}`
    // What a killed server left, a minute later.
    for (let n = 0; n < PER_CALLER; n++)
      await direct.redis.run((client) => client.zadd(key, Date.now() - 1, `killed:${n}`))
    const abort = new AbortController()
    expect(await openStream(servers[0] ?? expect.fail(), await signUserToken(id), abort.signal)).toBe(true)
    expect(await direct.redis.run((client) => client.zcard(key))).toBe(1)
    expect(await direct.redis.run((client) => client.pttl(key))).toBeGreaterThan(0)
    abort.abort()
  })
})
