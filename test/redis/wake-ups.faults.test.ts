import { setTimeout as delay } from 'node:timers/promises'
import { describe, test } from 'vitest'
import { expectWithin } from '../setup/deadline.ts'
import { eventually } from '../setup/eventually.ts'
import { openServerPair } from './server-pair.ts'
import { startValkey, valkeyIsMissing } from './valkey-server.ts'

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

describe.skipIf(valkeyIsMissing)(`A commit${valkeyIsMissing ? ` (${valkeyIsMissing})` : ''}`, () => {
  test('on one server reaches a stream of another one within 20 ms, in half of the cases', async () => {
    await using valkey = await startValkey()
    await using pair = await openServerPair(valkey.url)
    const { caller, points } = pair
    const durations: number[] = []
    for (let n = 1; n <= 40; n++) {
      // Long enough that the tailer polls only every 200 ms without a signal.
      await delay(Math.random() * 300)
      await caller.points.charge.mutate({ amount: 1 })
      const began = performance.now()
      await eventually(() => points.events.length, { interval: 1 }).toBe(n)
      durations.push(performance.now() - began)
    }
    expectWithin(median(durations), 20)
    points[Symbol.dispose]()
  })
})
