import { measure, startServer } from '../processes.ts'
import type { Figure } from '../report.ts'
import { checkoutRequest, eachOnce } from '../requests.ts'
import { type Bench, inTurn } from '../rounds.ts'
import { fillShop, newDatabase } from '../seed.ts'
import { expectSound } from './payments.ts'

/** As many as one transaction settles. */
const BUYERS = 256
/** The most that one order can have. */
const LINES = 50
/** More than can be sold in a round. */
const ORDERS = 200

/**
 * Measures how long a buyer of one product waits while 256 others buy other products: 50 each, or one each. Both waits are those of an
 * ordinary batch, because large orders leave room for others.
 */
export async function bystander(bench: Bench): Promise<Figure[]> {
  const shop = await newDatabase(bench.server, 'bystander')
  await fillShop(shop, { users: BUYERS + 1, products: BUYERS * LINES + 1 })
  const server = await startServer('server.ts', shop.url)

  const waitBeside = async (lines: number, count: number) => {
    const crowd = Array.from({ length: BUYERS * count }, (_, n) => {
      const buyer = n % BUYERS
      return checkoutRequest(buyer + 1, ...Array.from({ length: lines }, (_, line) => 1 + buyer * LINES + line))
    })
    const single = Array.from({ length: ORDERS * 5 }, () => checkoutRequest(BUYERS + 1, BUYERS * LINES + 1))
    const loads = [
      eachOnce(server, await Promise.all(crowd), BUYERS),
      eachOnce(server, await Promise.all(single), 1),
    ] as const
    // Those of the crowd who wait for three seconds are refused as `service_busy`.
    const [, { p50Ms }] = await Promise.all([
      measure({ ...loads[0], retriesBusy: true }),
      measure({ ...loads[1], retriesBusy: true }),
    ])
    return p50Ms
  }
  const values = await inTurn(bench, 'bystander', {
    large: () => waitBeside(LINES, 20),
    small: () => waitBeside(1, ORDERS),
  })
  await server.stop()
  await expectSound(shop)
  await shop.end()
  return [
    {
      name: `checkout beside ${BUYERS} buyers of ${LINES} products each, p50`,
      unit: 'ms',
      values: values.large,
      baseline: { name: 'of one product each', values: values.small },
      goal: { atMost: 2 },
    },
  ]
}
