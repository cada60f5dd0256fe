import { afterEach, onTestFinished, test, vi } from 'vitest'
import { SseHeartbeat } from '../../server/src/http/trpc/sse-heartbeat.ts'
import { eventually } from '../setup/eventually.ts'
import { openShop } from '../setup/shop.ts'
import { openSocket } from '../setup/sockets.ts'

afterEach(() => void vi.useRealTimers())

// The test has a file of its own: moving the clock makes every other open server believe that it is overloaded.
test('a stream whose response is queued behind another stream on its connection receives no pings', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  const stopped = vi.spyOn(SseHeartbeat.prototype, 'stop')
  onTestFinished(() => stopped.mockRestore())
  await using shop = await openShop()
  const { id } = await shop.givenProduct()
  const { socket, read } = await openSocket(shop)
  onTestFinished(() => void socket.destroy())
  const send = (path: string) => socket.write(`GET /trpc/${path} HTTP/1.1\r\nhost: shop\r\n\r\n`)
  send(`products.onStock?input=${encodeURIComponent(JSON.stringify({ json: { productIds: [id] } }))}`)
  send('points.onChange?lastEventId=queued')
  const hasEnded = () => stopped.mock.calls.some(([{ req }]) => req.url?.endsWith('queued'))
  await eventually(hasEnded).toBe(true)
  await eventually(read).toContain('event: connected')
  // A ping to the queued response would be a write after its end; the second such error would end the process.
  for (let pings = 1; pings <= 3; pings++) {
    vi.advanceTimersByTime(16_000)
    await eventually(() => read().split('event: ping').length - 1).toBe(pings)
  }
})
