import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { DatabaseUrlError } from './database-url-error.ts'

/** How a connection is encrypted. It is encrypted in each mode, or not established. */
export interface Tls {
  /**
   * - REQUIRED: the server's certificate is not verified.
   * - VERIFY_CA: a known authority must have signed it.
   * - VERIFY_IDENTITY: it must also have the name of the host.
   */
  mode: 'REQUIRED' | 'VERIFY_CA' | 'VERIFY_IDENTITY'
  /** Certificates of the authorities in PEM format; undefined: those that Node.js trusts. */
  ca: string | undefined
}

type Mode = 'DISABLED' | Tls['mode']

/** From the weakest to the strongest. */
const MODES: readonly Mode[] = ['DISABLED', 'REQUIRED', 'VERIFY_CA', 'VERIFY_IDENTITY']

const OFF: Mode[] = ['DISABLED']
const ENCRYPTED: Mode[] = ['REQUIRED', 'VERIFY_CA', 'VERIFY_IDENTITY']
const UNVERIFIED: Mode[] = ['REQUIRED']
const VERIFIED: Mode[] = ['VERIFY_CA', 'VERIFY_IDENTITY']
const IDENTIFIED: Mode[] = ['VERIFY_IDENTITY']

const MODE_VALUES: Record<string, Mode[]> = {
  DISABLED: OFF,
  disable: OFF,
  REQUIRED: ENCRYPTED,
  require: ENCRYPTED,
  VERIFY_CA: VERIFIED,
  'verify-ca': VERIFIED,
  VERIFY_IDENTITY: IDENTIFIED,
  'verify-full': IDENTIFIED,
}
const SWITCH_VALUES: Record<string, Mode[]> = { true: ENCRYPTED, 1: ENCRYPTED, false: OFF, 0: OFF }

interface Parameter {
  /** Other names. Names are compared without regard to case. */
  aliases?: string[]
  /** The modes that each value allows. Values are compared without regard to case, and `_` equals `-`. */
  values: Record<string, Mode[]>
}

/** The parameters that choose how connections are encrypted. */
const TLS_PARAMETERS: Record<string, Parameter> = {
  'ssl-mode': { aliases: ['sslmode', 'ssl_mode'], values: MODE_VALUES },
  ssl: { values: { ...SWITCH_VALUES, ...MODE_VALUES } },
  tls: { values: { ...SWITCH_VALUES, ...MODE_VALUES, 'skip-verify': UNVERIFIED } },
  useSSL: { values: SWITCH_VALUES },
  requireSSL: { values: SWITCH_VALUES },
  sslaccept: { values: { strict: IDENTIFIED, accept_invalid_certs: UNVERIFIED } },
}
const CA_PARAMETER = 'ssl-ca'
// Not ssl-cert: MySQL's own programs mean the client's certificate by it.
const CA_ALIASES = ['sslca', 'ssl_ca', 'sslrootcert', 'sslcert']

/** The names that a URL may contain, and the setting of each. */
const SETTINGS = new Map<string, string>(
  [...Object.entries(TLS_PARAMETERS), [CA_PARAMETER, { aliases: CA_ALIASES }] as const].flatMap(
    ([setting, { aliases = [] }]) => [setting, ...aliases].map((name) => [name.toLowerCase(), setting] as const),
  ),
)
const ACCEPTED = [...Object.keys(TLS_PARAMETERS), CA_PARAMETER].join(', ')

/** Values that allow a connection without encryption when the server offers none. */
const FALLBACKS = new Set(['preferred', 'prefer', 'allow'])

/** What to do instead of a parameter that is often written in database URLs. Names in lower case, without - and _. */
const INSTEAD: [RegExp, string][] = [
  [/^(connectionlimit|poolsize|maxconnections|pooltimeout|maxidle)$/, 'set DATABASE_POOL instead'],
  [/^(socket|socketpath|unixsocket|host)$/, 'Pointwise connects over TCP to the host before the /'],
  [/^(user|username|password|database|port)$/, 'write it before the ?'],
  [/^(sslkey|sslcert|sslidentity|sslpassword|clientcert.*)$/, 'client certificates are not supported'],
  [/^(verifyservercertificate|rejectunauthorized|sslverify.*)$/, 'write ssl-mode=VERIFY_IDENTITY or ssl-mode=REQUIRED'],
  [
    /^(datestrings|rowsasarray|multiplestatements|timezone|charset|collation|flags|debug|trace|typecast|nesttables|compress)$/,
    'Pointwise sets the options of its driver itself; remove it',
  ],
]

/**
 * Parses the parameters of a database URL, and reads the CA file that they name.
 *
 * @param query what follows the `?`
 * @param hosts the hosts that the URL names
 * @throws DatabaseUrlError for a parameter that is not accepted, set twice or not valid, for parameters that contradict
 * each other, and for a CA file that cannot be used.
 */
export function parseParameters(query: string, hosts: readonly string[]): Tls | undefined {
  const values = readValues(query)
  const caFile = values.get(CA_PARAMETER)
  const choices = [...values].map(([setting, value]) =>
    setting === CA_PARAMETER ? VERIFIED : allowedModes(setting, value),
  )
  if (choices.length === 0) return undefined
  const mode = MODES.find((mode) => choices.every((allowed) => allowed.includes(mode)))
  if (mode === undefined) {
    throw new DatabaseUrlError(
      `has parameters that contradict each other: ${[...values.keys()].join(', ')}; write only ssl-mode, and ssl-ca if the certificate is to be verified`,
    )
  }
  if (mode === 'DISABLED') return undefined
  // The driver would compare the certificate of a server without a name with the name "localhost".
  if (mode === 'VERIFY_IDENTITY' && hosts.some((host) => isIP(host) !== 0)) {
    throw new DatabaseUrlError(
      'asks to verify the identity of an IP address; name the host as in its certificate, or write ssl-mode=VERIFY_CA and ssl-ca',
    )
  }
  // Anyone can have a certificate that a public authority has signed.
  if (mode === 'VERIFY_CA' && caFile === undefined) {
    throw new DatabaseUrlError(
      'asks to verify the authority of the certificate and names none; name its file in ssl-ca, or write ssl-mode=VERIFY_IDENTITY',
    )
  }
  return { mode, ca: caFile === undefined ? undefined : readCertificates(caFile) }
}

/** Returns the value of each setting. */
function readValues(query: string): Map<string, string> {
  const values = new Map<string, string>()
  for (const pair of query.split('&').filter((text) => text !== '')) {
    const [name = '', ...rest] = pair.split('=')
    const setting = SETTINGS.get(name.toLowerCase())
    if (setting === undefined) throw unknownParameter(name)
    if (values.has(setting)) throw new DatabaseUrlError(`sets ${setting} twice; set it once`)
    values.set(setting, decodeValue(setting, rest.join('=')))
  }
  return values
}

function unknownParameter(name: string): DatabaseUrlError {
  const isShown = /^[a-z][\w.-]{0,39}$/i.test(name)
  const plain = name.toLowerCase().replaceAll(/[-_]/g, '')
  const [, instead = 'remove it'] = INSTEAD.find(([names]) => names.test(plain)) ?? []
  return new DatabaseUrlError(
    `has the parameter ${isShown ? name : '(name not shown)'}, which is not accepted; ${instead}; the accepted parameters are ${ACCEPTED}`,
  )
}

function decodeValue(setting: string, value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    throw new DatabaseUrlError(`has a % in ${setting} that starts no percent-encoded UTF-8 character; write % as %25`)
  }
}

function allowedModes(setting: string, value: string): Mode[] {
  const normalize = (text: string) => text.toLowerCase().replaceAll('_', '-')
  const values = TLS_PARAMETERS[setting]?.values ?? {}
  const found = Object.entries(values).find(([name]) => normalize(name) === normalize(value))
  if (found) return found[1]
  if (FALLBACKS.has(normalize(value))) {
    throw new DatabaseUrlError(
      `sets ${setting} to a value that allows connections without encryption when the server offers none; write ssl-mode=REQUIRED or ssl-mode=DISABLED`,
    )
  }
  const asJson = setting === 'ssl' ? modesOfJson(value) : undefined
  if (asJson) return asJson
  throw new DatabaseUrlError(
    `sets ${setting} to a value that is not accepted; write one of ${Object.keys(values).join(', ')}`,
  )
}

/** The value of `ssl` that providers show for JavaScript drivers: `{"rejectUnauthorized":true}`. */
function modesOfJson(value: string): Mode[] | undefined {
  if (/^\{\s*"rejectUnauthorized"\s*:\s*true\s*\}$/.test(value)) return IDENTIFIED
  return /^\{\s*"rejectUnauthorized"\s*:\s*false\s*\}$/.test(value) ? UNVERIFIED : undefined
}

function readCertificates(file: string): string {
  const unusable = (reason: string) =>
    new DatabaseUrlError(
      `names the CA file ${JSON.stringify(file)}, which ${reason}; name a file that contains the certificates of the authorities in PEM format`,
    )
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw unusable(`cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
  const certificates = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g)
  if (!certificates) throw unusable('contains no certificate')
  try {
    for (const certificate of certificates) new X509Certificate(certificate)
  } catch {
    throw unusable('contains a certificate that is not valid')
  }
  return certificates.join('\n')
}
