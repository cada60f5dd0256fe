import { valkeyIsMissing } from '../redis/valkey-server.ts'
import { type Guard, guardsIn } from './guard.ts'

const connection = guardsIn('server/src/redis/redis-connection.ts')
const streams = guardsIn('server/src/subscriptions/shared-stream-counts.ts')

const values = guardsIn('server/src/redis/shared-values.ts')

const VALUES = 'redis/shared-values'
const CONNECTION = 'redis/redis-connection'
const LIMIT = 'redis/shared-rate-limit'
const STREAMS = 'redis/shared-streams'

/** What several servers share, and that no server needs Redis. Without Valkey, their tests are skipped. */
export const REDIS_GUARDS: Guard[] = valkeyIsMissing
  ? []
  : [
      connection('no password in the log', 'reason: reasonOf(error) }', 'err: error }', CONNECTION),
      connection('limit of a call', 'this.#callMs - wait.since(this.#outages)', 'this.#callMs', CONNECTION),
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
      values('a value without a lifetime is not used', 'if ttl and remaining >= 0 and', 'if ttl and', VALUES),
      values('no value returns after an eviction', '  generation = ARGV[2]', "  generation = ''", VALUES),
      values('a value is stored once it is read', "redis.call('get', reader) ~= ARGV[2]", 'false', VALUES),
      values(
        'invalidation of values that are being read',
        'local reader = value ..',
        'local reader = KEYS[1] ..',
        VALUES,
      ),
      values(
        'values that could not be invalidated are not used',
        'this.isInvalidationPending ? this.#sendInvalidation() : undefined',
        'undefined',
        VALUES,
      ),
      guardsIn('server/src/products/ranking-cache.ts')(
        'current prices in a ranking of another server',
        'isCurrent: isOwn && !isBehind',
        'isCurrent: !isBehind',
        'redis/shared-caches',
      ),
      guardsIn('server/src/auth/shared-rate-limiter.ts')(
        'limit of a server without Redis',
        'insuranceLimiter: new InsuranceLimiter(local),',
        '',
        LIMIT,
      ),
      streams('streams of a killed server expire', "redis.call('zremrangebyscore'", "redis.pcall('echo'", STREAMS),
    ]
