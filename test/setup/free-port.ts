import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

/** Returns a port of 127.0.0.1 that is free, as are the `more` ports after it with high probability. */
export async function freePort(more = 0): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return Math.min(port, 65_535 - more)
}
