import { measure, startServer } from '../processes.ts'
import type { Figure } from '../report.ts'
import { repeatedly } from '../requests.ts'
import { type Bench, inTurn } from '../rounds.ts'
import { newDatabase } from '../seed.ts'

const CONNECTIONS = 64

/** Measures a procedure that does nothing: on the fast path, through tRPC's adapter, and as a bare Fastify route. */
export async function http(bench: Bench): Promise<Figure[]> {
  const database = await newDatabase(bench.server, 'http')
  const baselines = await startServer('baselines.ts', database.url)
  const load = async (path: string) => (await measure(repeatedly(baselines, path, CONNECTIONS))).perSecond
  const { fastPath, adapter, bare } = await inTurn(bench, 'http', {
    fastPath: () => load('/trpc/nothing.at'),
    adapter: () => load('/trpc/nothing.at?way=adapter'),
    bare: () => load('/bare'),
  })
  await baselines.stop()
  await database.end()
  return [
    {
      name: 'no-op, fast path',
      unit: '/s',
      values: fastPath,
      baseline: { name: 'adapter', values: adapter },
      goal: { atLeast: 2.3 },
    },
    { name: 'no-op, fast path', unit: '/s', values: fastPath, baseline: { name: 'bare Fastify route', values: bare } },
  ]
}
