import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { copyRepository } from '../../setup/repository-copy.ts'
import type { Figure } from '../report.ts'
import { type Bench, inTurn } from '../rounds.ts'

const BOUND_SECONDS = 2
const POLL_MS = 5

/** Measures `npm start` with existing data and a private database server, until the storefront responds. */
export async function start(bench: Bench): Promise<Figure[]> {
  const checkout = copyRepository()
  try {
    // The first start creates the data and builds the storefront.
    await startedIn(checkout.folder)
    const { start } = await inTurn(bench, 'start', { start: () => startedIn(checkout.folder) })
    return [
      {
        name: '`npm start` with data in place, to the first page',
        unit: 's',
        values: start,
        baseline: { name: 'bound', values: start.map(() => BOUND_SECONDS) },
        goal: { atMost: 1 },
      },
    ]
  } catch (error) {
    bench.print(`start: skipped: ${(error as Error).message}`)
    return []
  } finally {
    checkout.remove()
  }
}

/** The duration in seconds. */
async function startedIn(folder: string): Promise<number> {
  const { DATABASE_URL: _, ...env } = process.env
  const startedAt = performance.now()
  const child = spawn('npm', ['start'], {
    cwd: folder,
    env: { ...env, POINTWISE_DATABASE: 'local', PORT: '0' },
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  })
  const exited = once(child, 'exit')
  const ended = new AbortController()
  exited.then(([code]) => ended.abort(new Error(`npm start ended with exit code ${code}`)))
  const url = await addressIn(child.stdout, ended.signal)
  while (!(await isReachable(url))) await setTimeout(POLL_MS, undefined, { signal: ended.signal })
  const seconds = (performance.now() - startedAt) / 1_000
  // Ctrl-C signals npm and the server.
  if (child.pid) process.kill(-child.pid, 'SIGINT')
  await exited
  return seconds
}

async function addressIn(stdout: Readable, signal: AbortSignal): Promise<string> {
  let output = ''
  stdout.setEncoding('utf8').on('data', (text) => {
    output += text
  })
  for (;;) {
    const [, url] = /open at (http:\S+)\s/.exec(output) ?? []
    if (url) return url
    await once(stdout, 'data', { signal })
  }
}

const isReachable = (url: string) =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  )
