import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { eventually } from '../setup/eventually.ts'
import { freePort } from '../setup/free-port.ts'
import { missingEngine } from '../setup/missing-engine.ts'
import { persist, runOn } from './database-cluster.ts'

const runFile = promisify(execFile)

/**
 * A program that runs Vitess in one process before one MySQL server. `start PORT NAME` starts it with the keyspaces `shop`, of one shard,
 * and `two`, of two, and prints the URL of `shop`; `kill NAME` and `up NAME` end and restart Vitess without its MySQL server;
 * `reset NAME` removes all. Its MySQL server has the third port after PORT. The ids of both processes are in the files `pid` and
 * `mysql/pid` of the folder `vitess-UID/NAME`, in the folder for temporary files.
 */
const { VITESS_ENGINE } = process.env

/** Why the tests of Vitess are skipped; undefined if they are not. */
export const vitessIsMissing: string | undefined = missingEngine('VITESS_ENGINE', 'Vitess')

export interface VitessServer extends AsyncDisposable {
  /** The URL of the unsharded keyspace. */
  url: string
  /** The URL of a keyspace of two shards. */
  shardedUrl: string
  /** Runs statements on its MySQL server, in one session as an administrator. */
  runOnMysql: (...statements: string[]) => Promise<unknown>
  /** Ends the process of Vitess at once. */
  kill: () => Promise<void>
  /** Starts it after it was killed, and resolves when it accepts connections. */
  restart: () => Promise<void>
  /** Stops the process of Vitess, which then hangs. */
  pause: () => Promise<void>
  resume: () => Promise<void>
  /** Ends the process of its MySQL server at once, and starts it again. */
  restartMysql: () => Promise<void>
}

export async function startVitess(): Promise<VitessServer> {
  const name = `pointwise-${randomUUID().slice(0, 8)}`
  const call = async (...args: string[]) => (await runFile(VITESS_ENGINE ?? '', args)).stdout.trim()
  const reset = () => call('reset', name).then(() => undefined)
  const folder = join(tmpdir(), `vitess-${process.getuid?.()}`, name)
  const signal = async (signal: NodeJS.Signals, pidFile = 'pid') =>
    process.kill(Number(await readFile(join(folder, pidFile), 'utf8')), signal)
  try {
    let port = ''
    const url = await persist(async () => {
      port = String(await freePort(3))
      return call('start', port, name)
    }, reset)
    const sharded = new URL(url)
    sharded.pathname = '/two'
    return {
      url,
      shardedUrl: sharded.href,
      runOnMysql: (...statements) => runOn(`mysql://root@127.0.0.1:${Number(port) + 3}`, statements),
      kill: () => call('kill', name).then(() => undefined),
      restart: () => call('up', name).then(() => undefined),
      pause: () => signal('SIGSTOP').then(() => undefined),
      resume: () => signal('SIGCONT').then(() => undefined),
      async restartMysql() {
        await signal('SIGKILL', 'mysql/pid')
        // The program would take a process that has ended, and whose parent has not read its exit code, as one that runs.
        await rm(join(folder, 'mysql/pid'))
        await eventually(() => accepts(Number(port) + 3)).toBe(false)
        await call('start', port, name)
      },
      [Symbol.asyncDispose]: reset,
    }
  } catch (error) {
    await reset().catch(() => undefined)
    throw error
  }
}

/** Whether a process accepts connections on this port. */
function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
