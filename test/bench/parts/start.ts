import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { newCheckout } from '../../setup/checkout.ts'
import type { Bench } from '../bench.ts'
import type { Figure } from '../report.ts'
import { inTurn } from '../rounds.ts'

const BOUND_SECONDS = 2
const LOOK_MS = 5

/** `npm start` with its data in place and a private server of its own, until the page of the shop comes. */
export async function start(bench: Bench): Promise<Figure[]> {
  const checkout = newCheckout()
  try {
    // The first start makes the data and builds the page.
    await startedIn(checkout.folder)
    const { start } = await inTurn(bench, 'start', { start: () => startedIn(checkout.folder) })
    return [
      {
        name: '`npm start` with data in place, to the first page',
        unit: 's',
        values: start,
        yardstick: { name: 'bound', values: start.map(() => BOUND_SECONDS) },
        goal: { atMost: 1 },
      },
    ]
  } catch (error) {
    bench.say(`start: left out: ${(error as Error).message}`)
    return []
  } finally {
    checkout.remove()
  }
}

/** In seconds. */
async function startedIn(folder: string): Promise<number> {
  const port = await freePort()
  const { DATABASE_URL: _, ...env } = process.env
  const began = performance.now()
  const child = spawn('npm', ['start'], {
    cwd: folder,
    env: { ...env, POINTWISE_DATABASE: 'local', PORT: String(port) },
    stdio: 'ignore',
    detached: true,
  })
  const exited = once(child, 'exit')
  const isThere = () =>
    fetch(`http://127.0.0.1:${port}/`).then(
      ({ ok }) => ok,
      () => false,
    )
  while (!(await isThere())) {
    if (child.exitCode !== null) throw new Error(`npm start ended with exit code ${child.exitCode}`)
    await setTimeout(LOOK_MS)
  }
  const seconds = (performance.now() - began) / 1_000
  // Ctrl-C reaches npm and the server.
  if (child.pid) process.kill(-child.pid, 'SIGINT')
  await exited
  return seconds
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address ? address.port : 0
}
