import { valkeyIsMissing } from '../redis/valkey-server.ts'
import { type Guard, guardsIn } from './guard.ts'

const connection = guardsIn('server/src/redis/redis-connection.ts')
const streams = guardsIn('server/src/subscriptions/shared-stream-counts.ts')

const CONNECTION = 'redis/redis-connection'
const LIMIT = 'redis/shared-rate-limit'
const STREAMS = 'redis/shared-streams'

/** What several servers share, and that no server needs Redis. Without Valkey, their tests are skipped. */
export const REDIS_GUARDS: Guard[] = valkeyIsMissing
  ? []
  : [
      connection('no password in the log', 'reason: reasonOf(error) }', 'err: error }', CONNECTION),
      connection('one log line for each outage', "if (before === 'unavailable') return", '', CONNECTION),
      connection(
        'trial of what the scripts need',
        'await client.eval(PROBE,',
        "await client.eval('return 1',",
        CONNECTION,
      ),
      connection(
        'commands are not sent again',
        'maxRetriesPerRequest: 0,\n      autoResendUnfulfilledCommands: false',
        'maxRetriesPerRequest: 20,\n      autoResendUnfulfilledCommands: true',
        CONNECTION,
      ),
      guardsIn('server/src/outbox/commit-signal.ts')(
        'signals are coalesced',
        'if (!this.#redis || this.#timer) return',
        'if (!this.#redis) return',
        'redis/wake-ups',
      ),
      guardsIn('server/src/auth/shared-rate-limiter.ts')(
        'limit of a server without Redis',
        'insuranceLimiter: new InsuranceLimiter(local),',
        '',
        LIMIT,
      ),
      streams(
        'streams are counted again after Redis lost them',
        'redis.onAvailable(() => void this.#renewAll())',
        '',
        STREAMS,
      ),
      streams('streams of a killed server expire', "redis.call('zremrangebyscore'", "redis.pcall('echo'", STREAMS),
    ]
