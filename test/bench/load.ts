import { connect, type Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'

/** What one connection sends, one request after the answer to the last; `repeat` begins again at the end. */
export interface Load {
  port: number
  connections: { requests: string[] }[]
  repeat: boolean
  durationMs: number
  /**
   * Whether who is told that the server is busy waits, and asks again, as the SDK does. Such connections come in the course
   * of a second, and the first three are not counted.
   */
  isPatient?: boolean
}

const COME_WITHIN_MS = 1_000
const NOT_COUNTED_MS = 3_000
const BUSY_MS = 1_000
const JITTER_MS = 500

export interface Measured {
  /** Requests answered with 200: of any other answer it is no measurement. */
  perSecond: number
  p50Ms: number
  p99Ms: number
}

/** A process of its own, so that its work is not the server's: it takes a load, makes it, and tells what it saw. */
process.on('message', (load: Load) => {
  run(load).then(
    (measured) => process.send?.(measured),
    (error) => {
      process.stderr.write(`load: ${error}\n`)
      process.exit(1)
    },
  )
})

async function run({ port, connections, repeat, durationMs, isPatient = false }: Load): Promise<Measured> {
  const sockets = await Promise.all(connections.map(() => open(port)))
  const latencies: number[] = []
  const statuses: Record<string, number> = {}
  const start = performance.now() + (isPatient ? NOT_COUNTED_MS : 0)
  const end = start + durationMs
  await Promise.all(
    sockets.map(async (socket, index) => {
      if (isPatient) await setTimeout(Math.random() * COME_WITHIN_MS)
      const requests = connections[index]?.requests ?? []
      for (let sent = 0; performance.now() < end; sent++) {
        const request = requests[repeat ? sent % requests.length : sent]
        if (request === undefined) break
        const began = performance.now()
        const status = await exchange(socket, request)
        const ended = performance.now()
        if (status === '503' && isPatient) {
          sent--
          await setTimeout(BUSY_MS + Math.random() * JITTER_MS)
        } else if (ended >= start && !(isPatient && ended > end)) {
          latencies.push(ended - began)
          statuses[status] = (statuses[status] ?? 0) + 1
        }
      }
    }),
  )
  // Those who wait when the time is up, wait to its end.
  const seconds = (isPatient ? durationMs : performance.now() - start) / 1_000
  for (const socket of sockets) socket.destroy()
  latencies.sort((a, b) => a - b)
  const at = (share: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0
  const { 200: served = 0, ...others } = statuses
  if (Object.keys(others).length > 0 || served === 0) {
    throw new Error(`expected 200 alone, and of ${latencies.length} answers got ${JSON.stringify(statuses)}`)
  }
  return { perSecond: served / seconds, p50Ms: at(0.5), p99Ms: at(0.99) }
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket))
    socket.once('error', reject)
  })
}

/** Sends a request and resolves with the status of its answer, read to its end. */
function exchange(socket: Socket, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const read = (chunk: Buffer) => {
      text += chunk.toString('latin1')
      const head = text.indexOf('\r\n\r\n')
      if (head === -1 || !isWhole(text, head)) return
      socket.off('data', read).off('close', closed)
      resolve(text.slice(9, 12))
    }
    const closed = () => reject(new Error(`the connection was closed after: ${text.slice(0, 200)}`))
    socket.on('data', read).once('close', closed)
    socket.write(request)
  })
}

function isWhole(text: string, head: number): boolean {
  const [, length] = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, head)) ?? []
  return length === undefined ? text.endsWith('0\r\n\r\n') : text.length >= head + 4 + Number(length)
}
