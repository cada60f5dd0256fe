import type { Bench } from '../bench.ts'
import { measure, startServer } from '../processes.ts'
import type { Figure } from '../report.ts'
import { againAndAgain } from '../requests.ts'
import { inTurn } from '../rounds.ts'
import { newDatabase } from '../seed.ts'

const CONNECTIONS = 64

/** A procedure that does nothing: on the short lane, by tRPC's adapter, and a bare Fastify route. */
export async function http(bench: Bench): Promise<Figure[]> {
  const database = await newDatabase(bench.server, 'http')
  const yardsticks = await startServer('yardsticks.ts', database.url)
  const load = async (path: string) => (await measure(againAndAgain(yardsticks, path, CONNECTIONS))).perSecond
  const { lane, adapter, bare } = await inTurn(bench, 'http', {
    lane: () => load('/trpc/nothing.at'),
    adapter: () => load('/trpc/nothing.at?way=adapter'),
    bare: () => load('/bare'),
  })
  await yardsticks.stop()
  await database.end()
  return [
    {
      name: 'no-op, short lane',
      unit: '/s',
      values: lane,
      yardstick: { name: 'adapter', values: adapter },
      goal: { atLeast: 2.3 },
    },
    { name: 'no-op, short lane', unit: '/s', values: lane, yardstick: { name: 'bare Fastify route', values: bare } },
  ]
}
