import { type Guard, guardsIn } from './guard.ts'

const health = guardsIn('server/src/http/health.ts')

/** The start and the end of a process. */
export const PROCESS_GUARDS: Guard[] = [
  health('readiness of the process', 'unreadyReason()) ??', 'undefined) ??', 'http/health.long'),
  guardsIn('server/src/embedded/jwt-secret.ts')(
    'check that the stored secret is complete',
    'SECRET.test(stored)',
    'true',
    'process/embedded-files',
  ),
  guardsIn('server/src/embedded/write-atomically.ts')(
    'atomic writing of the files of the embedded mode',
    "await open(draft, 'wx', 0o600)",
    "await open(file, 'w', 0o600)",
    'process/embedded-files',
  ),
]
