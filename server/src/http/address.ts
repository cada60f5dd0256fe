import type { AddressInfo, Server } from 'node:net'

/** Returns the base URL of a listening server, such as `http://127.0.0.1:3000`. */
export function urlOf(server: Server): string {
  const { address, port, family } = server.address() as AddressInfo
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}
