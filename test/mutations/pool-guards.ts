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
  guardsIn('db/src/pooled-connection.ts')(
    'each statement is sent to a Galera node alone',
    'if (this.#isGalera) this.#sendEach',
    'if (this.#isLost) this.#sendEach',
    'db/galera-node',
  ),
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
    'if (connection.sessionLock) this.#killers.get(connection.server)?.kill(connection.sessionLock)',
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
    'if (first && (isGalera || candidates.length === 1))',
    'if (first)',
    'db/several-primaries.long',
  ),
  guardsIn('db/src/primary-finder.ts')(
    'a host is left when another one takes writes',
    'isBefore(other) : !this.#former.has(other)',
    'isBefore(other) : false',
    'db/several-primaries.long',
  ),
  guardsIn('db/src/primary-finder.ts')(
    'a former primary that returns is not used',
    'isGalera || mayBeFormer ? writable : current',
    'writable',
    'db/several-primaries.long',
  ),
  guardsIn('db/src/primary-finder.ts')(
    'a former primary that was a replica counts',
    'if (error instanceof ReadOnlyServerError) this.#former.delete(server)',
    '',
    'db/several-primaries.long',
  ),
  guardsIn('db/src/primary-finder.ts')(
    'the end of a search when the pool is closed',
    "signal.addEventListener('abort', stop)",
    '',
    'db/primary',
  ),
  pool(
    'a primary without connections is forgotten',
    'if (this.#idle.length + this.#checkedOut.size === 0) this.#finder.forget(connection.server)',
    '',
    'db/several-primaries.long',
  ),
  guardsIn('db/src/write-check.ts')(
    'the variables of a host are read',
    'if (on.length > 0) throw',
    'if (on.length > 9) throw',
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
