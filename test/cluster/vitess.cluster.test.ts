import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { CheckoutLoad } from './checkout-load.ts'
import { STARTS_WITHIN_MS } from './database-cluster.ts'
import { failOver } from './failover.ts'
import { startVitess, type VitessServer, vitessIsMissing } from './vitess-server.ts'

/** A planned switchover of Vitess takes a few seconds. */
const SWITCHES_FOR_MS = 3_000

describe.skipIf(vitessIsMissing)(`Vitess, unsharded${vitessIsMissing ? ` (${vitessIsMissing})` : ''}`, () => {
  let vitess: VitessServer
  let load: CheckoutLoad
  beforeAll(async () => {
    vitess = await startVitess()
    load = await CheckoutLoad.start(vitess.url)
  }, STARTS_WITHIN_MS)
  afterAll(async () => {
    try {
      await load?.[Symbol.asyncDispose]()
    } finally {
      await vitess?.[Symbol.asyncDispose]()
    }
  })

  test('Vitess is killed and started again', async () => {
    await failOver({
      title: 'Vitess, kill -9',
      load,
      fail: async () => {
        await vitess.kill()
        await vitess.restart()
      },
      hasFailedOver: async () => true,
    })
  })

  test.each([
    ['for less than the deadline of a statement', 3_000],
    ['for longer than the deadline of a statement', 20_000],
  ])('Vitess hangs %s, and continues', async (_, forMs) => {
    await failOver({
      title: `Vitess, SIGSTOP for ${forMs / 1_000} s`,
      load,
      fail: async () => {
        await vitess.pause()
        await delay(forMs)
        await vitess.resume()
      },
      hasFailedOver: async () => true,
    })
  })

  // Vitess in one process has no second MySQL server to switch to. This is what it does to the one that it leaves.
  test('The MySQL server of Vitess is read-only during a planned switchover', async () => {
    await failOver({
      title: `Vitess, read-only for ${SWITCHES_FOR_MS / 1_000} s`,
      load,
      fail: async () => {
        await vitess.runOnMysql('set global super_read_only = on')
        await delay(SWITCHES_FOR_MS)
        await vitess.runOnMysql('set global super_read_only = off', 'set global read_only = off')
      },
      hasFailedOver: async () => true,
    })
  })

  test('The MySQL server of Vitess is killed and started again', async () => {
    await failOver({
      title: 'Vitess, kill -9 of its MySQL server',
      load,
      fail: vitess.restartMysql,
      hasFailedOver: async () => true,
    })
  })

  test('Every acknowledged checkout is there once, and the audit passes', () => load.expectTruth())
})
