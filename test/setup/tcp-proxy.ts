import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { urlOf } from '../../server/src/http/address.ts'

export interface TcpProxy extends AsyncDisposable {
  url: string
  /** Delays everything that is sent from now on, in both directions. It can only be increased. */
  delayMs: number
  /** Closes every open connection, and returns how many were open. New connections are accepted. */
  disconnectAll: () => number
}

/** A TCP proxy in front of a server. */
export async function startTcpProxy(url: string): Promise<TcpProxy> {
  const port = Number(new URL(url).port)
  const open = new Set<Socket>()
  const forward = (from: Socket, to: Socket) => {
    const after = (action: () => void) => (proxy.delayMs === 0 ? action() : setTimeout(action, proxy.delayMs))
    from.on('data', (chunk) => after(() => to.write(chunk))).on('end', () => after(() => to.end()))
  }
  const server = createServer((client) => {
    const upstream = connect({ port, host: '127.0.0.1', noDelay: true })
    forward(client.setNoDelay(), upstream)
    forward(upstream, client)
    open.add(client)
    const end = () => {
      open.delete(client)
      client.destroy()
      upstream.destroy()
    }
    for (const socket of [client, upstream]) socket.on('error', end).on('close', end)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const disconnectAll = () => {
    const count = open.size
    for (const client of open) client.destroy()
    return count
  }
  const proxy: TcpProxy = {
    url: urlOf(server),
    delayMs: 0,
    disconnectAll,
    async [Symbol.asyncDispose]() {
      server.close()
      disconnectAll()
      await once(server, 'close')
    },
  }
  return proxy
}
