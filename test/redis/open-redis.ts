import { RedisConnection } from '../../server/src/redis/redis-connection.ts'
import { parseRedisUrl } from '../../server/src/redis/redis-url.ts'
import { eventually } from '../setup/eventually.ts'

/** Long enough for a slow machine, for tests that are not about the time limit. */
const PATIENT_MS = 20_000

export interface LogLine {
  level: 'info' | 'warn'
  message: string
  reason?: string
}

/** A connection that is not started yet, and what it logs. */
export function openRedis(url: string, { callMs }: { callMs?: number | undefined } = { callMs: PATIENT_MS }) {
  const address = parseRedisUrl(url)
  if (!address) throw new Error(`${url} is not the URL of a Redis server.`)
  const log: LogLine[] = []
  const write = (level: LogLine['level']) => (details: object, message: string) => {
    log.push({ level, message, ...details })
  }
  const logger = { info: write('info'), warn: write('warn') }
  const redis = new RedisConnection({ address, logger, ...(callMs !== undefined && { callMs }) })
  return { redis, log, [Symbol.dispose]: () => redis.close() }
}

/** Resolves when the connection is used, or is not used. */
export const untilAvailable = (redis: RedisConnection, isAvailable = true) =>
  eventually(() => redis.isAvailable).toBe(isAvailable)
