import { type Guard, guardsIn } from './guard.ts'

const tryLocks = guardsIn('db/src/capabilities/try-locks.ts')
const tryConstraints = guardsIn('db/src/capabilities/try-constraints.ts')

export const CAPABILITY_GUARDS: Guard[] = [
  guardsIn('server/src/main.ts')(
    'check of capabilities at start',
    '  await checkCapabilities(url, LOCKING_STATEMENTS)\n',
    '',
    'process/refused-process.long',
  ),
  tryLocks(
    'trial of FOR UPDATE',
    "return hasWaited ? [] : [failure('lockingReads', notWaiting('outbox_cursors'))]",
    'return []',
    'db/capabilities',
  ),
  tryLocks(
    'trial of the statements that lock',
    "...(hasWaited ? [] : [failure('lockingReads', notWaiting(table))]),",
    '',
    'db/capabilities',
  ),
  tryLocks('trial of SKIP LOCKED', 'acquired.includes(first)', 'false', 'db/capabilities'),
  tryLocks('trial of READ COMMITTED', 'committed > epoch', 'true', 'db/capabilities'),
  tryLocks('trial of ROLLBACK', '(await lockFirst(reader)) === rolledBack', 'false', 'db/capabilities'),
  tryConstraints(
    'trial of constraints',
    'if (ERRORS[kind].includes(errorCode(error))) continue',
    'continue',
    'db/capabilities',
  ),
  tryConstraints(
    'trial of ids',
    'if (keys.every((_, index) => found[index] === inserted.insertId + index)) return []',
    'return []',
    'db/capabilities',
  ),
]
