import { type Guard, guardsIn } from './guard.ts'

const CONNECTION_GUARDS: Guard[] = [
  guardsIn('db/src/url-parameters.ts')(
    'unknown URL parameters are refused',
    'if (setting === undefined) throw unknownParameter(name)',
    'if (setting === undefined) continue',
    'db/database-url',
  ),
  guardsIn('db/src/connection.ts')('TLS', '...(tls && {', '...(undefined && {', 'db/tls'),
  guardsIn('db/src/connection.ts')(
    'the identity of the server',
    "verifyIdentity: tls.mode === 'VERIFY_IDENTITY'",
    'verifyIdentity: false',
    'db/tls',
  ),
]

const pool = guardsIn('db/src/pool.ts')

/** Database URLs, connections, and the search for the primary. */
export const POOL_GUARDS: Guard[] = [
  ...CONNECTION_GUARDS,
  guardsIn('db/src/session.ts')(
    'character set of a session',
    'set names utf8mb4 collate',
    'set collation_connection =',
    'db/session',
  ),
  guardsIn('db/src/session.ts')('autocommit', "autocommit: '1',", '', 'db/session'),
  pool(
    'check of an idle connection',
    '!this.#needsCheck(idle) || (await idle.respondsWithin(this.#limits.checkTimeoutMs))',
    'idle',
    'db/idle-connections',
  ),
  pool('replacement of all idle connections', '[idle, ...this.#idle.splice(0)]', '[idle]', 'db/idle-connections'),
  pool(
    'end of an abandoned session',
    'this.#killers.get(connection.server)?.kill(connection.sessionLock)',
    '',
    'db/abandoned-sessions.long',
  ),
  pool(
    'a new connection is to a host that takes writes',
    'await connection.requireWritable(this.#options.database)',
    '',
    'db/primary',
  ),
  pool(
    'a host that rejects writes is left',
    'onWriteRejected: ({ server }) => this.#leave(server, { isResponsive: true }),',
    'onWriteRejected: () => undefined,',
    'db/primary',
  ),
  guardsIn('db/src/primary-finder.ts')(
    'of several hosts that take writes none is used',
    'if (writable.length === 1 || isGalera)',
    'if (writable.length > 0 || isGalera)',
    'db/primary',
  ),
  guardsIn('db/src/write-check.ts')(
    'the variables of a host are read',
    'if (readOnly.length > 0) throw',
    'if (readOnly.length > 9) throw',
    'db/primary',
  ),
  guardsIn('db/src/write-check.ts')(
    'the right to write is tried',
    'if (rejectsWrites(error) || isConnectionLost(error)) throw error',
    'if (isConnectionLost(error)) throw error',
    'db/primary',
  ),
  pool(
    'a refused connection is an error of its own',
    'const error = new ConnectError(cause)',
    'const error = cause as ConnectError',
    'faults/refused-connections.long',
  ),
]
