import { connect, createDatabase, type Pool } from '@pointwise/db'
import { beforeEach, onTestFinished } from 'vitest'
import { JWT_SECRET } from '../setup/configuration.ts'
import { databaseUrl, run } from '../setup/database.ts'

export const url = databaseUrl('process')

/** The variables of a server on `url` and a free port. */
export const env = { DATABASE_URL: url, JWT_SECRET, PORT: '0' }

/** The longest time in which a server without calls in progress exits after a signal. */
export const EXITS_WITHIN_MS = 5_000

/** A pool on `url` until the test has finished. */
export function open(): Pool {
  const db = connect(url, { lockWaitSeconds: 10 })
  onTestFinished(() => db.destroy())
  return db
}

/** Lets each test of a file start without a database at `url`. */
export function dropDatabaseBeforeEach(): void {
  beforeEach(async () => {
    await createDatabase(url)
    const db = connect(url)
    await run(db, `drop database ${new URL(url).pathname.slice(1)}`)
    await db.destroy()
  })
}
