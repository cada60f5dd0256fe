import { connect } from '@pointwise/db'
import { createCaller } from '@pointwise/server'
import { type Caller, PATIENT_LOCKS, type Shop } from './shop.ts'

const CONNECTIONS = 5

export interface Servers extends AsyncDisposable {
  /** Calls as a user, each time on the next server. */
  asUser: (userId: number) => Caller
  /** Calls as an admin, each time on the next server. */
  asAdmin: () => Caller
}

/** Several in-process servers on the database of a shop. They share nothing but the database. */
export function openServers({ databaseUrl }: Shop, count = 4): Servers {
  const pools = Array.from({ length: count }, () =>
    connect(databaseUrl, { connections: CONNECTIONS, ...PATIENT_LOCKS }),
  )
  const next = () => {
    const [db, ...others] = pools
    if (!db) throw new Error('At least one server is required.')
    pools.splice(0, count, ...others, db)
    return db
  }
  return {
    asUser: (userId) => createCaller({ db: next(), userId }),
    asAdmin: () => createCaller({ db: next(), admin: true }),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(pools.map((db) => db.destroy()))
    },
  }
}
