import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { freePort } from '../setup/free-port.ts'
import { missingEngine } from '../setup/missing-engine.ts'

/**
 * A program that runs Valkey: `start PORT NAME [OPTION…]` starts a server and prints its URL, `kill NAME` kills it, `pause NAME`
 * and `resume NAME` send SIGSTOP and SIGCONT, `reset NAME` stops it and removes its data.
 */
const { VALKEY_ENGINE: engine } = process.env

/** Why the tests that need Valkey are skipped; undefined if they are not. */
export const valkeyIsMissing: string | undefined = missingEngine('VALKEY_ENGINE', 'Valkey')

export interface ValkeyServer extends AsyncDisposable {
  url: string
  /** Starts the server, after it was killed or for the first time. */
  start: () => Promise<void>
  kill: () => Promise<void>
  /** Suspends the process: its connections stay open, and it does not respond. */
  pause: () => Promise<void>
  resume: () => Promise<void>
}

const runFile = promisify(execFile)

/** A Valkey server on a free port that is not started yet. */
export async function newValkey(options: string[] = []): Promise<ValkeyServer> {
  if (!engine) throw new Error(valkeyIsMissing)
  const name = `pointwise-${randomUUID().slice(0, 8)}`
  const port = await freePort()
  const run = async (...args: string[]) => void (await runFile(engine, args))
  return {
    url: `redis://127.0.0.1:${port}`,
    start: () => run('start', String(port), name, ...options),
    kill: () => run('kill', name),
    pause: () => run('pause', name),
    resume: () => run('resume', name),
    [Symbol.asyncDispose]: () => run('reset', name),
  }
}

/** A Valkey server whose data is removed at the end. */
export async function startValkey(options: string[] = []): Promise<ValkeyServer> {
  const valkey = await newValkey(options)
  await valkey.start()
  return valkey
}
