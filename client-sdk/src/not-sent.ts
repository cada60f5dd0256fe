/*
 * Which failures of `fetch` prove that nothing was sent. Browsers report no cause, so their failures prove nothing. Neither does the
 * `ConnectionRefused` of Bun: some versions send a POST again by themselves after a connection was lost, and report only the second failure.
 */

/** Failures to find the server or to connect to it. A later attempt may succeed. */
const CONNECT_CODES = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT'])
const CONNECT_CALLS = new Set(['connect', 'getaddrinfo'])
/** How Deno reports any failure to connect. */
const DENO_CONNECT = 'client error (Connect)'

/** The certificate of the server was rejected, or the server does not support TLS. A later attempt fails as well. */
const TLS_CODE =
  /^(CERT_|DEPTH_ZERO_SELF_SIGNED_CERT$|SELF_SIGNED_CERT_IN_CHAIN$|UNABLE_TO_(GET_ISSUER_CERT|VERIFY_LEAF_SIGNATURE)|ERR_TLS_CERT_ALTNAME_INVALID$|ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$|HOSTNAME_MISMATCH$)/

const CAUSES_MAX = 5

export interface NotSent {
  /** The code of the failure. */
  reason: string
  /** Whether a later attempt may succeed. */
  isTemporary: boolean
}

/** Why a request that failed was not sent. Undefined unless the error proves it. */
export function notSent(error: unknown): NotSent | undefined {
  let each = error
  for (let depth = 0; depth < CAUSES_MAX && isObject(each); depth++) {
    const found = notSentBy(each)
    if (found) return found
    each = each.cause
  }
  return undefined
}

function notSentBy({ code, syscall, message, errors }: { [key: string]: unknown }): NotSent | undefined {
  // A host name with several addresses: every connection failed.
  if (Array.isArray(errors) && errors.length > 0) {
    const each = errors.map(notSent)
    return each.every((found) => found !== undefined) ? each[0] : undefined
  }
  if (typeof message === 'string' && message.includes(DENO_CONNECT)) {
    return { reason: 'connection failed', isTemporary: true }
  }
  if (typeof code !== 'string') return undefined
  if (TLS_CODE.test(code)) return { reason: code, isTemporary: false }
  const isConnect = CONNECT_CODES.has(code) || (typeof syscall === 'string' && CONNECT_CALLS.has(syscall))
  return isConnect ? { reason: code, isTemporary: true } : undefined
}

function isObject(value: unknown): value is { [key: string]: unknown } {
  return typeof value === 'object' && value !== null
}
