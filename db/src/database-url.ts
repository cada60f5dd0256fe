import { isIPv6 } from 'node:net'
import { DatabaseUrlError } from './database-url-error.ts'
import { parseParameters, type Tls } from './url-parameters.ts'

/** The address of a database server. */
export interface DatabaseServer {
  host: string
  port: number
}

/** The servers of one database, of which one is the primary. */
export type DatabaseServers = readonly [DatabaseServer, ...DatabaseServer[]]

/** The content of a database URL. The driver gets its options from these fields and never sees the URL. */
export interface DatabaseUrl {
  servers: DatabaseServers
  user: string
  password: string
  database: string
  /** How connections are encrypted; undefined: they are not. */
  tls: Tls | undefined
}

const DEFAULT_PORT = 3306
const PORT_MAX = 65_535
const FORM = 'mysql://user[:password]@host:port/database'
const NOT_SHOWN = 'its value is not shown, because it can contain a password'

const ENCODE =
  'in the user name and the password, write % as %25, # as %23, / as %2F, ? as %3F, @ as %40, : as %3A and a space as %20'

/** `mysql:` URLs as other programs spell their scheme. */
const OTHER_SCHEMES = /^(?:jdbc:)?(?:mysqls|mysql2|mysqlx|mariadb|mysql\+\w+|mariadb\+\w+|jdbc:mysql|jdbc:mariadb)$/i

/**
 * Parses `mysql://user[:password]@host[:port][,host[:port]…]/database[?parameters]`. docs/configuration.md lists the
 * parameters. Reads the CA file that the URL names.
 *
 * @param defaultDatabase the database of a URL that names none; by default, such a URL is not valid.
 * @throws DatabaseUrlError whose message never contains the user name, the password or any other part that could
 * belong to a password.
 */
export function parseDatabaseUrl(url: string, defaultDatabase?: string): DatabaseUrl {
  const { authority, path, query, hash } = split(url.trim())
  // After the authority, an @ is most likely the end of a password that contains a /, ? or #.
  if (`${path}${query}${hash}`.includes('@')) throw new DatabaseUrlError(`contains an @ after a /, ? or #; ${ENCODE}`)
  if (hash !== '') throw new DatabaseUrlError(`contains a #; ${ENCODE}`)
  const at = authority.lastIndexOf('@')
  const credentials = parseCredentials(authority.slice(0, Math.max(at, 0)))
  const servers = parseServers(authority.slice(at + 1))
  return {
    servers,
    ...credentials,
    database: parseDatabase(path) || defaultDatabase || missing('database'),
    tls: parseParameters(
      query,
      servers.map(({ host }) => host),
    ),
  }
}

function split(url: string): { authority: string; path: string; query: string; hash: string } {
  const [, scheme, authority = '', path = '', query = '', hash = ''] =
    /^([a-z][a-z0-9+.:-]*):\/\/([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?$/is.exec(url) ?? []
  if (scheme !== undefined && OTHER_SCHEMES.test(scheme)) {
    const tls = scheme.toLowerCase() === 'mysqls' ? ', and ?ssl-mode=REQUIRED at its end' : ''
    throw new DatabaseUrlError(`starts with ${scheme}://; write mysql:// instead${tls}, for MySQL and for MariaDB`)
  }
  if (scheme?.toLowerCase() !== 'mysql') throw new DatabaseUrlError(`must have the form ${FORM}; ${NOT_SHOWN}`)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is searched for.
  if (/[\s\u0000-\u001f\u007f]/.test(url))
    throw new DatabaseUrlError(`contains white space or a control character; ${ENCODE}`)
  return { authority, path, query: query.slice(1), hash }
}

function parseCredentials(text: string): { user: string; password: string } {
  if (text.includes('@')) throw new DatabaseUrlError(`contains more than one @; ${ENCODE}`)
  const colon = text.includes(':') ? text.indexOf(':') : text.length
  return {
    user: decode(text.slice(0, colon), 'user name') || missing('user name'),
    password: decode(text.slice(colon + 1), 'password'),
  }
}

function parseServers(text: string): DatabaseServers {
  const [first = '', ...others] = text.split(',')
  const servers: DatabaseServers = [parseServer(first), ...others.map(parseServer)]
  if (new Set(servers.map((server) => formatServer(server).toLowerCase())).size < servers.length) {
    throw new DatabaseUrlError('names the same host and port twice; name each server once')
  }
  return servers
}

function parseServer(text: string): DatabaseServer {
  if (/%2f/i.test(text))
    throw new DatabaseUrlError(`names a Unix socket; Pointwise connects over TCP: name a host, as in ${FORM}`)
  const [, host, port = ''] = /^(\[[^\]]*\]|[^:[\]]*)(?::([^:]*))?$/.exec(text) ?? []
  if (host === undefined) {
    throw new DatabaseUrlError(
      `has a host that is not valid; write an IPv6 address in brackets, as in mysql://user@[::1]:3306/database`,
    )
  }
  if (host === '') missing('host')
  const isBracketed = host.startsWith('[')
  const name = isBracketed ? host.slice(1, -1) : host
  if (isBracketed ? !isIPv6(name) : !/^[\w.-]+$/.test(name)) {
    throw new DatabaseUrlError(
      `has a host that is not valid; name a host or an IP address, as in ${FORM}; ${NOT_SHOWN}`,
    )
  }
  return { host: name, port: parsePort(port) }
}

/** Returns `host:port`, with an IPv6 address in brackets. */
export function formatServer({ host, port }: DatabaseServer): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`
}

function parsePort(text: string): number {
  if (text === '') return DEFAULT_PORT
  const port = /^\d+$/.test(text) ? Number(text) : 0
  if (port >= 1 && port <= PORT_MAX) return port
  throw new DatabaseUrlError(
    `has a port that is not a whole number from 1 to ${PORT_MAX}; write it as in ${FORM}; ${NOT_SHOWN}`,
  )
}

function parseDatabase(path: string): string {
  const name = path.slice(1)
  if (name.includes('/'))
    throw new DatabaseUrlError(`has a path of several parts; name one database, as in ${FORM}, and write / as %2F`)
  return decode(name, 'database name')
}

function decode(text: string, part: string): string {
  let decoded: string
  try {
    decoded = decodeURIComponent(text)
  } catch {
    throw new DatabaseUrlError(`has a % in the ${part} that starts no percent-encoded UTF-8 character; ${ENCODE}`)
  }
  // The protocol ends these texts with a NUL.
  if (decoded.includes('\0')) throw new DatabaseUrlError(`has a NUL character (%00) in the ${part}; remove it`)
  return decoded
}

function missing(part: string): never {
  throw new DatabaseUrlError(`names no ${part}; write it as in ${FORM}; ${NOT_SHOWN}`)
}
