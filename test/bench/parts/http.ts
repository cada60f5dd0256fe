import { measure, startServer } from '../processes.ts'
import type { Figure } from '../report.ts'
import { againAndAgain } from '../requests.ts'
import { type Bench, inTurn } from '../rounds.ts'
import { newDatabase } from '../seed.ts'

const CONNECTIONS = 64

/** A procedure that does nothing: on the short lane, by tRPC's adapter, and a bare Fastify route. */
export async function http(bench: Bench): Promise<Figure[]> {
  const database = await newDatabase(bench.server, 'http')
  const baselines = await startServer('baselines.ts', database.url)
  const load = async (path: string) => (await measure(againAndAgain(baselines, path, CONNECTIONS))).perSecond
  const { lane, adapter, bare } = await inTurn(bench, 'http', {
    lane: () => load('/trpc/nothing.at'),
    adapter: () => load('/trpc/nothing.at?way=adapter'),
    bare: () => load('/bare'),
  })
  await baselines.stop()
  await database.end()
  return [
    {
      name: 'no-op, fast path',
      unit: '/s',
      values: lane,
      baseline: { name: 'adapter', values: adapter },
      goal: { atLeast: 2.3 },
    },
    { name: 'no-op, fast path', unit: '/s', values: lane, baseline: { name: 'bare Fastify route', values: bare } },
  ]
}
