import { describe, expect, test } from 'vitest'
import { RecentWriters } from '../../server/src/http/recent-writers.ts'
import { eventually } from '../setup/eventually.ts'
import { openRedis, untilAvailable } from './open-redis.ts'
import { startValkey, valkeyIsMissing } from './valkey-server.ts'

describe.skipIf(valkeyIsMissing)(`recent writers${valkeyIsMissing ? ` (${valkeyIsMissing})` : ''}`, () => {
  test('are known to every server, and every client counts as one for ten seconds after messages may have been lost', async () => {
    await using valkey = await startValkey()
    using writing = openRedis(valkey.url)
    using reading = openRedis(valkey.url)
    let now = 1
    const clock = { now: () => now }
    const writers = new RecentWriters({ redis: writing.redis, clock })
    const readers = new RecentWriters({ redis: reading.redis, clock })
    for (const { redis } of [writing, reading]) redis.start()
    for (const { redis } of [writing, reading]) await untilAvailable(redis)
    expect(readers.has('192.0.2.1')).toBe(true)
    now += 10_000
    expect(readers.has('192.0.2.1')).toBe(false)

    await writers.add('192.0.2.1')
    await eventually(() => readers.has('192.0.2.1')).toBe(true)
    expect(readers.has('192.0.2.2')).toBe(false)
    now += 10_001
    expect(readers.has('192.0.2.1')).toBe(false)
  })
})
