import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { copyRepository } from '../../setup/repository-copy.ts'
import type { Figure } from '../report.ts'
import { type Bench, inTurn } from '../rounds.ts'

const BOUND_SECONDS = 2
const LOOK_MS = 5

/** `npm start` with its data in place and a private server of its own, until the page of the shop comes. */
export async function start(bench: Bench): Promise<Figure[]> {
  const checkout = copyRepository()
  try {
    // The first start makes the data and builds the page.
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
    bench.print(`start: left out: ${(error as Error).message}`)
    return []
  } finally {
    checkout.remove()
  }
}

/** In seconds. */
async function startedIn(folder: string): Promise<number> {
  const { DATABASE_URL: _, ...env } = process.env
  const began = performance.now()
  const child = spawn('npm', ['start'], {
    cwd: folder,
    env: { ...env, POINTWISE_DATABASE: 'local', PORT: '0' },
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  })
  const exited = once(child, 'exit')
  const over = new AbortController()
  exited.then(([code]) => over.abort(new Error(`npm start ended with exit code ${code}`)))
  const url = await addressIn(child.stdout, over.signal)
  while (!(await isThere(url))) await setTimeout(LOOK_MS, undefined, { signal: over.signal })
  const seconds = (performance.now() - began) / 1_000
  // Ctrl-C reaches npm and the server.
  if (child.pid) process.kill(-child.pid, 'SIGINT')
  await exited
  return seconds
}

async function addressIn(stdout: Readable, signal: AbortSignal): Promise<string> {
  let said = ''
  stdout.setEncoding('utf8').on('data', (text) => {
    said += text
  })
  for (;;) {
    const [, url] = /open at (http:\S+)\s/.exec(said) ?? []
    if (url) return url
    await once(stdout, 'data', { signal })
  }
}

const isThere = (url: string) =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  )
