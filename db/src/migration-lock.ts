import { createHash } from 'node:crypto'
import { type QueryExecutorProvider, type RawBuilder, sql } from 'kysely'

/** How long one wait for the lock takes before the waiting is reported again, in seconds. */
const REPORT_INTERVAL_SECONDS = 30

export interface MigrationLockOptions {
  /** How long another session may hold the lock before the wait fails. Defaults to five minutes. */
  lockWaitSeconds?: number
  /** Called when the wait begins and every 30 seconds while it lasts. */
  onWarning?: (message: string, details: object) => void
}

/** Returns the name of the lock under which the database of this name is migrated. */
export function migrationLockName(database: string): string {
  // A hash, because MySQL limits the names of locks to 64 characters. In lower case, because some servers do not
  // distinguish the case of a database's name.
  const hash = createHash('sha256').update(database.toLowerCase()).digest('hex')
  return `pointwise-migrations:${hash.slice(0, 32)}`
}

/**
 * Calls `work` while this session holds the migration lock of its database. Only one session of the database server holds
 * it at a time; the server releases it when the session ends. `db` must be a single connection.
 *
 * @throws Error when another session holds the lock for `lockWaitSeconds`. It names that session and what to do.
 */
export async function withMigrationLock<T>(
  db: QueryExecutorProvider,
  { lockWaitSeconds = 300, onWarning }: MigrationLockOptions,
  work: () => Promise<T>,
): Promise<T> {
  const database = await currentDatabase(db)
  const name = migrationLockName(database)
  const deadline = performance.now() + lockWaitSeconds * 1_000
  let isAcquired = await getLock(db, name, 0)
  while (!isAcquired) {
    const holder = await findHolder(db, name)
    const remaining = Math.ceil((deadline - performance.now()) / 1_000)
    if (remaining <= 0) throw new Error(waitFailed(database, lockWaitSeconds, holder))
    onWarning?.('waiting for another session to migrate the database', {
      database,
      holder,
      failsAfterSeconds: remaining,
    })
    isAcquired = await getLock(db, name, Math.min(remaining, REPORT_INTERVAL_SECONDS))
  }
  try {
    return await work()
  } finally {
    // Fails when the connection is lost, and then the server has released the lock.
    await sql`select release_lock(${name})`.execute(db).catch(() => undefined)
  }
}

async function currentDatabase(db: QueryExecutorProvider): Promise<string> {
  const { rows } = await sql<{ name: string }>`select database() as name`.execute(db)
  if (!rows[0]) throw new Error('The server returned no row for a SELECT of the current database. Expected one row.')
  return rows[0].name
}

async function getLock(db: QueryExecutorProvider, name: string, seconds: number): Promise<boolean> {
  return (await selectValue(db, sql`select get_lock(${name}, ${seconds})`)) === 1
}

/** Returns the only value of a SELECT. Vitess does not give the result of a lock function the name that it is asked for. */
async function selectValue(db: QueryExecutorProvider, select: RawBuilder<unknown>): Promise<unknown> {
  const { rows } = await select.execute(db)
  return Object.values((rows[0] as object | undefined) ?? {})[0]
}

/** A session of the database server, as SHOW PROCESSLIST describes it. */
interface Session {
  id: number
  /** Unknown when this account may not see the sessions of that account. */
  user?: string
  host?: string
  command?: string
  seconds?: number
}

/** Returns the session that holds the lock, or undefined when none does any more. */
async function findHolder(db: QueryExecutorProvider, name: string): Promise<Session | undefined> {
  const id = await selectValue(db, sql`select is_used_lock(${name})`)
  if (typeof id !== 'number') return undefined
  const { rows: sessions } = await sql<Record<string, unknown>>`show processlist`.execute(db)
  const session = sessions.find(({ Id }) => Id === id)
  if (!session) return { id }
  const { User, Host, Command, Time } = session
  return { id, user: String(User), host: String(Host), command: String(Command), seconds: Number(Time) }
}

function waitFailed(database: string, seconds: number, holder: Session | undefined): string {
  const what = `Another session has held the migration lock of database ${database} for ${seconds} s`
  if (!holder) return `${what}. Start the server again.`
  const { id, user, host, command, seconds: idle } = holder
  const who = user === undefined ? '' : ` (${user}@${host}, ${command} for ${idle} s)`
  return (
    `${what}: session ${id}${who}. If its server is still migrating, wait and start this ` +
    `server again. If its server no longer exists, end the session with KILL ${id}, then start this server again.`
  )
}
