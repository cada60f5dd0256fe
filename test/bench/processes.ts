import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Load, Measured } from './load.ts'

/** A server process of the benchmark. */
export interface Listening {
  port: number
  /** Its peak memory in MB. */
  memoryMb: () => Promise<number>
  stop: () => Promise<void>
}

/** The flags with which `npm start` runs Node. */
const manifest = JSON.parse(await readFile(join(import.meta.dirname, '../../package.json'), 'utf8'))
const execArgv: string[] = manifest.scripts.start.split(' ').filter((word: string) => word.startsWith('--'))

/** Starts `server.ts` or `baselines.ts` on a database, and resolves when it listens. */
export async function startServer(
  script: 'server.ts' | 'baselines.ts',
  url: string,
  ...args: string[]
): Promise<Listening> {
  const child = fork(join(import.meta.dirname, script), [url, ...args], { execArgv })
  const [port] = await Promise.race([once(child, 'message'), failure(child, script)])
  return {
    port: port as number,
    memoryMb: async () => {
      child.send('memory?')
      const [megabytes] = await Promise.race([once(child, 'message'), failure(child, script)])
      return megabytes as number
    },
    stop: () => end(child),
  }
}

/** Generates a load in a separate process and returns the result. */
export async function measure(load: Load): Promise<Measured> {
  const child = fork(join(import.meta.dirname, 'load.ts'), [], { serialization: 'advanced' })
  const measured = once(child, 'message')
  child.send(load)
  const [result] = await Promise.race([measured, failure(child, 'load.ts')])
  await end(child)
  return result as Measured
}

async function failure(child: ChildProcess, script: string): Promise<never> {
  const [code] = await once(child, 'exit')
  throw new Error(`${script} ended with exit code ${code} before it sent a result.`)
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await exited
}
