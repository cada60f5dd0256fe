const ACCESS_DENIED = 1045
const TLS_REQUIRED = 3159
/** 1290 also stands for other settings of the server, which its message names. */
const SETTING = 1290

/**
 * Returns the message of an error and, if it is a failure to connect to a database that can be written, what to do. The message of an
 * AggregateError, which Node.js leaves empty, is made of the messages of its errors: a host with several addresses was
 * not reachable at any of them.
 */
export function errorMessage(error: Error): string {
  const message =
    error instanceof AggregateError && error.message === ''
      ? error.errors.map((each) => (each instanceof Error ? errorMessage(each) : String(each))).join('; ')
      : withoutStatement(error.message)
  const action = connectAction(error)
  return action === undefined ? message : `${message.replace(/\.?$/, '.')} ${action}`
}

/** What Vitess appends to the message of an error: the account, the statement and its values. A stack may follow. */
const VITESS_STATEMENT = /(?: \(CallerID: [^)]*\))?: Sql: ".*?(?=\n {4}at |$)/s

/** Removes the statement and its values from the message or the stack of an error of Vitess. */
export function withoutStatement(text: string): string {
  return text.replace(VITESS_STATEMENT, '')
}

function connectAction(error: Error & { code?: unknown; errno?: unknown }): string | undefined {
  if (error.code === 'HANDSHAKE_NO_SSL_SUPPORT') {
    return 'DATABASE_URL requires TLS, and the database server offers none. Enable TLS on the server, or write ssl-mode=DISABLED if you trust the network.'
  }
  if (error.code === 'HANDSHAKE_SSL_ERROR') {
    return 'The TLS connection that DATABASE_URL requires was not established. Name the file of the authority that signed the server certificate in ssl-ca, and the host as in the certificate. ssl-mode=REQUIRED encrypts without verifying the certificate.'
  }
  if (error.errno === TLS_REQUIRED)
    return 'The database server requires TLS. Add ssl-mode=VERIFY_IDENTITY or ssl-mode=REQUIRED to DATABASE_URL.'
  if (error.errno === ACCESS_DENIED) {
    return 'Check the user name and the password in DATABASE_URL; a % in them must be written as %25. If the server or the account requires TLS, add ssl-mode=VERIFY_IDENTITY or ssl-mode=REQUIRED.'
  }
  if (error.errno === SETTING && /read-only/.test(error.message)) {
    return 'If it is a replica, name the primary in DATABASE_URL, or promote it first.'
  }
  return undefined
}
