import type { Bench } from '../bench.ts'
import { measure, startServer } from '../processes.ts'
import type { Figure } from '../report.ts'
import { deal, get } from '../requests.ts'
import { newDatabase } from '../seed.ts'
import { perSecond } from './payments.ts'

const CONNECTIONS = 64
const DURATION_MS = 2_500

/** A procedure that does nothing: on the short lane, by tRPC's adapter, and a bare Fastify route. */
export async function http({ server, rounds, say }: Bench): Promise<Figure[]> {
  const database = await newDatabase(server, 'http')
  const yardsticks = await startServer('yardsticks.ts', database.url)
  const paths = { lane: '/trpc/nothing.at', adapter: '/trpc/nothing.at?way=adapter', bare: '/bare' }
  const values: Record<string, number[]> = { lane: [], adapter: [], bare: [] }
  for (let round = 0; round <= rounds; round++) {
    for (const [name, path] of Object.entries(paths)) {
      const connections = deal(
        Array.from({ length: CONNECTIONS }, () => get(path)),
        CONNECTIONS,
      )
      const value = perSecond(
        await measure({ port: yardsticks.port, connections, repeat: true, durationMs: DURATION_MS }),
      )
      say(`http, round ${round} of ${rounds}: ${name} ${Math.round(value)}/s`)
      if (round > 0) values[name]?.push(value)
    }
  }
  await yardsticks.stop()
  await database.end()
  const { lane = [], adapter = [], bare = [] } = values
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
