import { type Guard, guardsIn } from './guard.ts'

const queries = guardsIn('server/src/relay/queries.ts')

const SUSPENDED = 'relay/suspended-process'

/** One process at a time publishes events, and moves the cursor. */
export const RELAY_GUARDS: Guard[] = [
  queries('epoch of a new lease', "    .where('epoch', '=', epoch - 1)\n", '', SUSPENDED),
  queries('epoch of the holder', ".where('epoch', '=', epoch)\n", '\n', SUSPENDED),
]
