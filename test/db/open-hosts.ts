import { type ConnectOptions, connect, type Pool, transact } from '@pointwise/db'
import { onTestFinished } from 'vitest'
import { databaseUrl, emptyDatabase } from '../setup/database.ts'
import type { FaultProxy } from '../setup/fault-proxy.ts'
import { openSeveralHosts } from '../setup/several-hosts.ts'

export const NEVER_MS = 2 ** 31 - 1
/** Long enough for a slow machine. The servers are not watched, so that nothing is sent except for calls. */
export const PATIENT = {
  connections: 5,
  acquireTimeoutMs: 15_000,
  statementTimeoutMs: 60_000,
  watchIntervalMs: NEVER_MS,
} satisfies ConnectOptions
export const WATCHED = { watchIntervalMs: 100 } satisfies ConnectOptions
export const SHOWS_VARIABLES = /^show global variables where variable_name in \('read_only'/

export interface Opened {
  db: Pool
  hosts: [FaultProxy, FaultProxy, FaultProxy]
  /** The numbers of the hosts that were found to be the primary, in this order, and -1 whenever none was found. */
  primaries: number[]
  url: string
}

/** Opens a pool on three hosts. Host 0 takes writes. */
export async function open(options: ConnectOptions = {}): Promise<Opened> {
  await emptyDatabase().then(({ db }) => db.destroy())
  const { url, hosts, ...opened } = await openSeveralHosts(databaseUrl())
  const ports = hosts.map((host) => Number(new URL(host.url).port))
  const primaries: number[] = []
  const onPrimary: ConnectOptions['onPrimary'] = ({ port }) => primaries.push(ports.indexOf(port))
  const onNoPrimary = () => primaries.push(-1)
  const db = connect(url, { ...PATIENT, onPrimary, onNoPrimary, ...options })
  onTestFinished(async () => {
    await opened[Symbol.asyncDispose]()
    await db.destroy()
  })
  return { db, hosts: hosts as Opened['hosts'], primaries, url }
}

export const insertUser = (db: Pool, name: string, attempts: unknown[] = []) =>
  transact(db, (tx) => tx.insertInto('users').values({ name }).execute(), {
    onFailedAttempt: ({ reason }) => attempts.push(reason),
  })

export const names = async (db: Pool) =>
  (await db.selectFrom('users').select('name').orderBy('id').execute()).map(({ name }) => name)

export const probes = ({ queries }: FaultProxy) =>
  queries.flat().filter((statement) => SHOWS_VARIABLES.test(statement)).length

/** Makes another host the primary. */
export function move(from: FaultProxy, to: FaultProxy): void {
  from.setReadOnly(true)
  to.setReadOnly(false)
}
