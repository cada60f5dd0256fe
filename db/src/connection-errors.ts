/** A statement was called after the connection was lost. */
export const connectionLostError = (): Error =>
  Object.assign(new Error('The connection was lost during an earlier statement. The statement was not sent.'), {
    fatal: true,
  })

/** The connection was closed while a statement was under way. */
export const serverUnresponsiveError = (): Error =>
  Object.assign(new Error('The database server does not respond. The connection was closed.'), {
    code: 'SERVER_UNRESPONSIVE',
    fatal: true,
  })

/** A statement would lock rows that no transaction holds. */
export const lockOutsideTransactionError = (): Error =>
  new Error(
    'A locking read (SELECT … FOR UPDATE, FOR SHARE or LOCK IN SHARE MODE) was called outside a transaction, ' +
      'and was not sent. ' +
      'Outside a transaction its locks are released as soon as it returns. ' +
      'Run it on the `tx` of `transact`, or remove the locking clause.',
  )
