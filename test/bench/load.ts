import { connect, type Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'

/** The requests of each connection. A connection sends a request after the response to the last one, and repeats them if `repeat` is set. */
export interface Load {
  port: number
  connections: { requests: string[] }[]
  repeat: boolean
  durationMs: number
  /**
   * Whether a connection that receives 503 waits and repeats its request, as the SDK does. Such connections start within a
   * second, and responses of the first three seconds are not counted.
   */
  retriesBusy?: boolean
  /** How many requests all connections together send in a second at most, evenly distributed. Without it, as many as they can. */
  perSecond?: number
}

const START_WITHIN_MS = 1_000
const WARM_UP_MS = 3_000
const BUSY_MS = 1_000
const JITTER_MS = 500

export interface Measured {
  /** Requests that were answered with 200. Any other status fails the measurement. */
  perSecond: number
  p50Ms: number
  p99Ms: number
}

/** The load generator is a separate process. It receives a load from its parent, generates it, and sends back the result. */
process.on('message', (load: Load) => {
  run(load).then(
    (measured) => process.send?.(measured),
    (error) => {
      process.stderr.write(`load: ${error}\n`)
      process.exit(1)
    },
  )
})

async function run({ port, connections, repeat, durationMs, retriesBusy = false, perSecond }: Load): Promise<Measured> {
  const sockets = await Promise.all(connections.map(() => open(port)))
  const latencies: number[] = []
  const statuses: Record<string, number> = {}
  const start = performance.now() + (retriesBusy ? WARM_UP_MS : 0)
  const end = start + durationMs
  await Promise.all(
    sockets.map(async (socket, index) => {
      if (retriesBusy) await setTimeout(Math.random() * START_WITHIN_MS)
      const requests = connections[index]?.requests ?? []
      for (let sent = 0; performance.now() < end; sent++) {
        const request = requests[repeat ? sent % requests.length : sent]
        if (request === undefined) break
        if (perSecond) {
          const dueAt = start + ((sent * connections.length + index) / perSecond) * 1_000
          await setTimeout(Math.max(0, dueAt - performance.now()))
          if (performance.now() >= end) break
        }
        const startedAt = performance.now()
        const status = await exchange(socket, request)
        const endedAt = performance.now()
        if (status === '503' && retriesBusy) {
          sent--
          await setTimeout(BUSY_MS + Math.random() * JITTER_MS)
        } else if (endedAt >= start && !(retriesBusy && endedAt > end)) {
          latencies.push(endedAt - startedAt)
          statuses[status] = (statuses[status] ?? 0) + 1
        }
      }
    }),
  )
  // A connection that waits to retry at the end of the load waits until the end.
  const seconds = (retriesBusy ? durationMs : performance.now() - start) / 1_000
  for (const socket of sockets) socket.destroy()
  latencies.sort((a, b) => a - b)
  const at = (share: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0
  const { 200: served = 0, ...others } = statuses
  if (Object.keys(others).length > 0 || served === 0) {
    throw new Error(
      `expected only responses with status 200; the ${latencies.length} responses had ${JSON.stringify(statuses)}`,
    )
  }
  return { perSecond: served / seconds, p50Ms: at(0.5), p99Ms: at(0.99) }
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket))
    socket.once('error', reject)
  })
}

/** Sends a request, reads the whole response and resolves with its status. */
function exchange(socket: Socket, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const read = (chunk: Buffer) => {
      text += chunk.toString('latin1')
      const head = text.indexOf('\r\n\r\n')
      if (head === -1 || !isComplete(text, head)) return
      socket.off('data', read).off('close', closed)
      resolve(text.slice(9, 12))
    }
    const closed = () => reject(new Error(`the connection was closed after: ${text.slice(0, 200)}`))
    socket.on('data', read).once('close', closed)
    socket.write(request)
  })
}

function isComplete(text: string, head: number): boolean {
  const [, length] = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, head)) ?? []
  return length === undefined ? text.endsWith('0\r\n\r\n') : text.length >= head + 4 + Number(length)
}
