import { sql } from 'kysely'
import { errorCode } from './errors.ts'
import { kyselyOf, type Pool } from './handles.ts'
import { mend, PRIVILEGES, quoteAccount, quoteName, ServerError } from './server-error.ts'
import type { Tables } from './tables.ts'

/** One column that is updated of each table, or null when its rows are never changed. Rows are inserted into all. */
const UPDATED: { [Table in Exclude<keyof Tables, 'kysely_migration'>]: (keyof Tables[Table] & string) | null } = {
  users: 'deleted_at',
  points: 'point',
  point_histories: null,
  stores: null,
  products: 'sales_volume',
  stock: 'stock',
  stock_changes: null,
  orders: 'status',
  order_products: null,
  payments: null,
  refunds: null,
  product_sales: 'count',
  events: null,
  outbox_cursors: 'position',
}

/** The account lacks a privilege: on a database, a table or a column, or a global one. */
const DENIED = new Set<string | number>([1044, 1142, 1143, 1227, 1370])
/** A read-only server, or InnoDB in read-only mode. */
const READ_ONLY_SERVER = new Set<string | number>([1290, 1836])
const READ_ONLY_TRANSACTION = 1792
const BINARY_LOG = 1665

/**
 * Checks that the account of this pool can read and write each table as Pointwise does. It lets the server explain each
 * kind of statement, which takes the same privileges and the same server mode as executing it, and changes nothing.
 *
 * @param options.deletesEvents whether this process also deletes old events
 * @throws Error that lists what the account lacks or what rejects its writes, and the statement that mends it.
 */
export async function checkAccess(db: Pool, { deletesEvents = false } = {}): Promise<void> {
  const denied = new Map<string, string[]>()
  for (const [table, column] of Object.entries(UPDATED)) {
    const statements = {
      SELECT: `select 1 from ${table}`,
      INSERT: `insert into ${table} () values ()`,
      ...(column && { UPDATE: `update ${table} set ${column} = ${column}` }),
      ...(deletesEvents && table === 'events' && { DELETE: 'delete from events' }),
    }
    for (const [privilege, statement] of Object.entries(statements)) {
      const error = await sql`explain ${sql.raw(statement)}`.execute(kyselyOf(db)).then(
        () => undefined,
        (error) => error,
      )
      if (error === undefined) continue
      if (!DENIED.has(errorCode(error))) throw await rejectedWrite(db, error)
      denied.set(privilege, [...(denied.get(privilege) ?? []), table])
    }
  }
  if (denied.size > 0) throw new ServerError([await deniedProblem(db, denied)])
}

/**
 * Explains why creating or changing a table failed. Returns an error with what is missing and the statement that mends
 * it, or the same error when it has another reason.
 */
export async function explainDenied(db: Pool, error: unknown): Promise<unknown> {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  if (!DENIED.has(errorCode(cause))) return error
  const { account, database } = await identify(db)
  const problem =
    `The account ${account} may not migrate the database (${(cause as Error).message}). ` +
    `Expected the privileges ${PRIVILEGES}. ` +
    `Run as an administrator: GRANT ${PRIVILEGES} ON ${database}.* TO ${account};`
  return new ServerError([problem])
}

async function deniedProblem(db: Pool, denied: Map<string, string[]>): Promise<string> {
  const { account, database } = await identify(db)
  const missing = [...denied].map(([privilege, tables]) => `${privilege} on ${tables.join(', ')}`)
  const ofDatabase = [...denied.keys()].filter((privilege) => privilege !== 'DELETE')
  const grants = [
    ...(ofDatabase.length > 0 ? [`GRANT ${ofDatabase.join(', ')} ON ${database}.* TO ${account};`] : []),
    ...(denied.has('DELETE') ? [`GRANT DELETE ON ${database}.events TO ${account};`] : []),
  ]
  const expected =
    'Expected it to read and write every table, and to delete events if this process retains them for a limited time.'
  return `The account ${account} lacks ${missing.join('; ')}. ${expected} Run as an administrator: ${grants.join(' ')}`
}

async function rejectedWrite(db: Pool, error: unknown): Promise<unknown> {
  const { version } = await identify(db)
  const code = errorCode(error)
  const problem = (found: string, statement: string) =>
    new ServerError([`The server rejects writes: ${found} Run: ${statement}`])
  if (code === BINARY_LOG) {
    return problem('its binlog_format is STATEMENT. Expected ROW or MIXED.', mend(version, 'binlog_format', "'ROW'"))
  }
  if (code === READ_ONLY_TRANSACTION) {
    const name = version.includes('MariaDB') ? 'tx_read_only' : 'transaction_read_only'
    return problem(`${name} is ON. Expected OFF.`, mend(version, name, 'OFF'))
  }
  if (READ_ONLY_SERVER.has(code)) {
    return problem(
      'it is read-only. If it is a replica, name the primary in DATABASE_URL, or promote it first.',
      mend(version, 'read_only', 'OFF'),
    )
  }
  return error
}

async function identify(db: Pool): Promise<{ account: string; database: string; version: string }> {
  const { account, name, version } = await db
    .selectNoFrom([
      sql<string>`current_user()`.as('account'),
      sql<string>`database()`.as('name'),
      sql<string>`version()`.as('version'),
    ])
    .executeTakeFirstOrThrow()
  return {
    account: quoteAccount(account),
    database: quoteName(name),
    version,
  }
}
