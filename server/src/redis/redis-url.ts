/** Where a Valkey or Redis server is, and how to sign in. */
export interface RedisAddress {
  host: string
  port: number
  username: string | undefined
  password: string | undefined
  /** The number of the database on that server. */
  database: number
  /** Whether the connection is encrypted. The certificate must name the host. */
  isEncrypted: boolean
}

const DEFAULT_PORT = 6_379
const PROTOCOLS: Record<string, { isEncrypted: boolean }> = {
  'redis:': { isEncrypted: false },
  'valkey:': { isEncrypted: false },
  'rediss:': { isEncrypted: true },
  'valkeys:': { isEncrypted: true },
}

/** Parses `redis[s]://[[user]:password@]host[:port][/database]`, or the same with `valkey`. Returns undefined for other text. */
export function parseRedisUrl(text: string): RedisAddress | undefined {
  const url = URL.parse(text)
  const protocol = url && PROTOCOLS[url.protocol]
  if (!protocol || url.hostname === '' || url.search !== '' || url.hash !== '') return undefined
  // Several hosts would be one host with commas in its name.
  const [path, digits = '0'] = /^\/?(\d{1,5})?$/.exec(url.pathname) ?? []
  if (path === undefined || !/^(\[.*\]|[\w.-]+)$/.test(url.hostname)) return undefined
  try {
    return {
      // An IPv6 address is written in brackets.
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port === '' ? DEFAULT_PORT : Number(url.port),
      username: decodeURIComponent(url.username) || undefined,
      password: decodeURIComponent(url.password) || undefined,
      database: Number(digits),
      ...protocol,
    }
  } catch {
    // A percent sign that begins no escape sequence.
    return undefined
  }
}
