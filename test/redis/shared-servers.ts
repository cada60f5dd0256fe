import { type ConnectOptions, connect, type Pool } from '@pointwise/db'
import type { AppConfig } from '@pointwise/server'
import type { RedisConnection } from '../../server/src/redis/redis-connection.ts'
import { freshDatabase } from '../setup/database.ts'
import { startServer } from '../setup/start-server.ts'
import { splitStatements } from '../setup/statements.ts'
import { type LogLine, openRedis, untilAvailable } from './open-redis.ts'

export type SharedServer = Awaited<ReturnType<typeof startServer>> & {
  redis: RedisConnection
  redisLog: LogLine[]
  /** Every statement that the server has sent. */
  statements: string[]
}

export interface SharedServers extends AsyncDisposable {
  /** A pool of the test on the database of the servers. */
  db: Pool
  databaseUrl: string
  servers: SharedServer[]
  /** Resolves when every server uses Redis, or when none does. */
  untilAvailable: (isAvailable?: boolean) => Promise<void>
}

interface Options {
  redisUrl: string
  /** The name of the database. */
  name: string
  count?: number
  config?: Partial<AppConfig>
  /** The time limit of the commands of a call. The default is that of a slow machine. */
  callMs?: number | undefined
}

/** Servers on an empty database and one Redis, each with connections of its own. They are used when Redis is available. */
export async function openSharedServers({ redisUrl, name, count = 4, config = {}, ...limit }: Options) {
  const { db, url: databaseUrl } = await freshDatabase(name)
  const servers = await Promise.all(
    Array.from({ length: count }, async (): Promise<SharedServer> => {
      const { redis, log } = openRedis(redisUrl, 'callMs' in limit ? limit : undefined)
      const statements: string[] = []
      const record: ConnectOptions['log'] = (event) => statements.push(...splitStatements(event).map(({ sql }) => sql))
      const db = connect(databaseUrl, { connections: 4, acquireTimeoutMs: 20_000, log: record })
      // A slow machine refuses no call.
      const limits = { eventLoopDelayMaxMs: Number.POSITIVE_INFINITY }
      const server = await startServer({ db, redis, config, limits })
      return Object.assign(server, { redis, redisLog: log, statements })
    }),
  )
  const untilAll = async (isAvailable = true) => {
    for (const { redis } of servers) await untilAvailable(redis, isAvailable)
  }
  await untilAll()
  return {
    db,
    databaseUrl,
    servers,
    untilAvailable: untilAll,
    async [Symbol.asyncDispose]() {
      for (const server of servers) await server[Symbol.asyncDispose]()
      await db.destroy()
    },
  } satisfies SharedServers
}
