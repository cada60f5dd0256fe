import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { urlOf } from '../../server/src/http/address.ts'

export interface TcpProxy extends AsyncDisposable {
  url: string
  /** Closes every open connection, and returns how many were open. New connections are accepted. */
  disconnectAll: () => number
}

/** A TCP proxy in front of a server. */
export async function startTcpProxy(url: string): Promise<TcpProxy> {
  const port = Number(new URL(url).port)
  const open = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect({ port, host: '127.0.0.1', noDelay: true })
    client.setNoDelay().pipe(upstream).pipe(client)
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
  return {
    url: urlOf(server),
    disconnectAll,
    async [Symbol.asyncDispose]() {
      server.close()
      disconnectAll()
      await once(server, 'close')
    },
  }
}
