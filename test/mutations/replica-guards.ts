import { type Guard, guardsIn } from './guard.ts'

const replica = guardsIn('db/src/replica/replica.ts')
const productListCache = guardsIn('server/src/products/product-list-cache.ts')

export const REPLICA_GUARDS: Guard[] = [
  replica('bound on the lag', ' && this.#lagMs <= REPLICA_LAG_MS_MAX', '', 'replica/replica.long'),
  replica(
    'check of the replica server',
    'if (!this.#isAccepted) await checkReplicaServer(this.#probes)\n',
    '',
    'replica/replica.long',
  ),
  replica(
    'comparison of the newest event',
    'if (fingerprint !== reached.fingerprint)',
    'if (false)',
    'replica/replica.long',
  ),
  replica('comparison of earlier events', 'if (count >= reached.count)', 'if (true)', 'replica/replica.long'),
  replica('pause after a failed read', 'this.#clock.now() + PAUSE_MS', 'this.#clock.now()', 'replica/replica.long'),
  guardsIn('server/src/http/trpc/create-context.ts')(
    'reads after a write',
    ' || recentWriters?.has(network)',
    '',
    'replica/named-reads',
  ),
  productListCache(
    'rankings with a short lifetime',
    ' && ttlSeconds >= REPLICA_TTL_SECONDS_MIN',
    '',
    'replica/named-reads',
  ),
  guardsIn('server/src/products/ranking-cache.ts')(
    'prices of a ranking from a replica',
    '!isBehind && ',
    '',
    'replica/named-reads',
  ),
]
