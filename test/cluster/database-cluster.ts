import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { createConnection } from 'mysql2/promise'
import { freePort } from '../setup/free-port.ts'
import { missingEngine } from '../setup/missing-engine.ts'
import { urlOfHosts } from '../setup/several-hosts.ts'

const runFile = promisify(execFile)

/**
 * Programs that run a database cluster. `start` starts three members on a port and the ports after it, and prints the URL of each;
 * `kill`, `pause`, `resume` and `up NAME MEMBER` end, stop, continue and restart one; `reset NAME` removes all. The first also
 * takes a mode before the port: `async`, `semisync` or `group`.
 */
const { MYSQL_CLUSTER_ENGINE, GALERA_ENGINE } = process.env

/** Why the tests of a cluster are skipped; undefined if they are not. */
export const mysqlIsMissing: string | undefined = missingEngine('MYSQL_CLUSTER_ENGINE', 'clusters of MySQL')
export const galeraIsMissing: string | undefined = missingEngine('GALERA_ENGINE', 'Galera')

export interface Member {
  /** From 1. */
  number: number
  url: string
  /** Ends its process at once. */
  kill: () => Promise<void>
  /** Stops its process, which then hangs. */
  pause: () => Promise<void>
  resume: () => Promise<void>
  /** Starts it after it was killed, and resolves when it has joined the cluster again. */
  restart: () => Promise<void>
  /** Runs statements in one session as an administrator. Returns the rows of the last. */
  run: <Row>(...statements: string[]) => Promise<Row[]>
}

export interface DatabaseCluster extends AsyncDisposable {
  members: Member[]
  /** The URL of a database that names every member. */
  url: (database: string) => string
}

/** Starts three MySQL servers: one primary with asynchronous or semi-synchronous replicas, or Group Replication with a single primary. */
export function startMysqlCluster(
  mode: 'async' | 'semisync' | 'group',
  env: Record<string, string> = {},
): Promise<DatabaseCluster> {
  return start(MYSQL_CLUSTER_ENGINE ?? '', [mode], { MYSQL_BUFFER_POOL: '64M', ...env })
}

/** Starts three MariaDB servers with Galera. */
export function startGalera(): Promise<DatabaseCluster> {
  return start(GALERA_ENGINE ?? '', [], {})
}

/** The programs wait a minute for a member. On a busy machine a member may take longer. */
const ATTEMPTS = 8
/** How long a cluster may take to start. */
export const STARTS_WITHIN_MS = 900_000

/** Repeats a command that fails, after undoing what it did. */
export async function persist<T>(
  command: () => Promise<T>,
  undo: () => Promise<unknown> = async () => undefined,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await command()
    } catch (error) {
      if (attempt === ATTEMPTS) throw error
      await undo()
    }
  }
}

async function start(engine: string, mode: string[], env: Record<string, string>): Promise<DatabaseCluster> {
  const name = `pointwise-${randomUUID().slice(0, 8)}`
  const call = async (...args: string[]) =>
    (await runFile(engine, args, { env: { ...process.env, ...env }, maxBuffer: 2 ** 24 })).stdout
  const reset = () => call('reset', name).then(() => undefined)
  try {
    // The members talk to each other on the ports above it.
    const port = String(await freePort(135))
    // A cluster that is formed in part cannot be completed.
    const output = await persist(() => call('start', ...mode, port, name), reset)
    const urls = output.match(/mysql:\/\/root@127\.0\.0\.1:\d+/g) ?? []
    return {
      members: urls.map((url, index) => {
        const number = index + 1
        const control = (command: string) => () => call(command, name, String(number)).then(() => undefined)
        return {
          number,
          url,
          kill: control('kill'),
          pause: control('pause'),
          resume: control('resume'),
          restart: () => persist(control('up')),
          run: (...statements) => runOn(url, statements),
        }
      }),
      url: (database) => urlOfHosts(urls.map((url) => `${url}/${database}`)),
      [Symbol.asyncDispose]: reset,
    }
  } catch (error) {
    await reset().catch(() => undefined)
    throw error
  }
}

/** Runs statements in one session as an administrator. Returns the rows of the last. */
export async function runOn<Row>(url: string, statements: string[]): Promise<Row[]> {
  const connection = await createConnection({ uri: url, connectTimeout: 2_000 })
  try {
    let rows: unknown = []
    for (const sql of statements) [rows] = await connection.query({ sql, timeout: 60_000 })
    return Array.isArray(rows) ? (rows as Row[]) : []
  } finally {
    connection.destroy()
  }
}
