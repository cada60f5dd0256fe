import { afterEach, onTestFinished, test, vi } from 'vitest'
import { SseHeartbeat } from '../../server/src/http/trpc/sse-heartbeat.ts'
import { eventually } from '../setup/eventually.ts'
import { openShop } from '../setup/shop.ts'
import { openSocket } from '../setup/sockets.ts'

afterEach(() => void vi.useRealTimers())

// In a file of its own: a shop that lived before the clock was moved would take itself for late.
test('an answer that waits behind a stream on its connection gets no ping', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  const stopped = vi.spyOn(SseHeartbeat.prototype, 'stop')
  onTestFinished(() => stopped.mockRestore())
  await using own = await openShop()
  const { id } = await own.givenProduct()
  const { socket, read } = await openSocket(own)
  onTestFinished(() => void socket.destroy())
  const ask = (path: string) => socket.write(`GET /trpc/${path} HTTP/1.1\r\nhost: shop\r\n\r\n`)
  ask(`products.onStock?input=${encodeURIComponent(JSON.stringify({ json: { productIds: [id] } }))}`)
  ask('points.onChange?lastEventId=behind')
  const hasEnded = () => stopped.mock.calls.some(([{ req }]) => req.url?.endsWith('behind'))
  await eventually(hasEnded).toBe(true)
  await eventually(read).toContain('event: connected')
  // The second error that nobody listens for would end the process.
  for (let pings = 1; pings <= 3; pings++) {
    vi.advanceTimersByTime(16_000)
    await eventually(() => read().split('event: ping').length - 1).toBe(pings)
  }
})
