import { type Guard, guardsIn } from './guard.ts'

const lease = guardsIn('server/src/relay/lease.ts')
const queries = guardsIn('server/src/relay/queries.ts')

const SUSPENDED = 'relay/suspended-process'

/** One process at a time publishes events, and moves the cursor. */
export const RELAY_GUARDS: Guard[] = [
  queries('a lease that is held is not acquired', 'if (force) return start', 'return start', 'relay/lease'),
  lease(
    'a lease ends by the clock of its process',
    'if (performance.now() >= this.#validUntil)',
    'if (false)',
    'relay/lease',
  ),
  guardsIn('server/src/relay/outbox-relay.ts')(
    'signals do not make the relay poll more often',
    'await this.#pause(POLL_MS_MIN)\n        await',
    'await',
    'relay/relay-wake',
  ),
  queries('epoch of a new lease', "    .where('epoch', '=', epoch - 1)\n", '', SUSPENDED),
  queries('epoch of the holder', ".where('epoch', '=', epoch)\n", '\n', SUSPENDED),
]
