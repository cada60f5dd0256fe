import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { CommitSignal } from '../../server/src/outbox/commit-signal.ts'
import { eventually } from '../setup/eventually.ts'
import { openRedis, untilAvailable } from './open-redis.ts'
import { openServerPair } from './server-pair.ts'
import { startValkey, valkeyIsMissing } from './valkey-server.ts'

const INTERVAL_MS = 10

describe.skipIf(valkeyIsMissing)(`A commit${valkeyIsMissing ? ` (${valkeyIsMissing})` : ''}`, () => {
  test('reaches the stream of another server by polling while Redis is gone', async () => {
    await using valkey = await startValkey()
    await using pair = await openServerPair(valkey.url)
    const { caller, points } = pair
    await caller.points.charge.mutate({ amount: 1 })
    await valkey.kill()
    for (let amount = 2; amount <= 5; amount++) await caller.points.charge.mutate({ amount })
    await points.received(5)
    expect(points.changes.map(({ amount }) => amount)).toEqual([1, 2, 3, 4, 5])
    points[Symbol.dispose]()
  })

  test('is signalled to other processes at once, and thousands are signalled as a few', async () => {
    await using valkey = await startValkey()
    using sender = openRedis(valkey.url)
    using receiver = openRedis(valkey.url)
    const signal = new CommitSignal(sender.redis)
    let own = 0
    signal.on(() => own++)
    let received = 0
    new CommitSignal(receiver.redis).on(() => received++)
    for (const { redis } of [sender, receiver]) redis.start()
    for (const { redis } of [sender, receiver]) await untilAvailable(redis)

    for (let n = 0; n < 1_000; n++) signal.send()
    // The first one at once, and one for all others.
    await eventually(() => received).toBe(2)

    const began = performance.now()
    for (let n = 0; n < 300; n++) {
      signal.send()
      await delay(1)
    }
    const intervals = (performance.now() - began) / INTERVAL_MS
    await receiver.redis.run((client) => client.ping())
    expect(received - 2).toBeLessThanOrEqual(intervals + 2)
    // Each process receives its own signals directly.
    expect(own).toBe(1_300)
  })
})
