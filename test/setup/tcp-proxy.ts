import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { urlOf } from '../../server/src/http/address.ts'

export interface Cutter extends AsyncDisposable {
  url: string
  /** Cuts every connection that is open, and says how many those were. */
  cut: () => number
}

/** A cable to a server that can be cut; who connects again finds it whole. */
export async function cutter(url: string): Promise<Cutter> {
  const port = Number(new URL(url).port)
  const open = new Set<Socket>()
  const server = createServer((client) => {
    const inside = connect({ port, host: '127.0.0.1', noDelay: true })
    client.setNoDelay().pipe(inside).pipe(client)
    open.add(client)
    const end = () => {
      open.delete(client)
      client.destroy()
      inside.destroy()
    }
    for (const socket of [client, inside]) socket.on('error', end).on('close', end)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    const count = open.size
    for (const client of open) client.destroy()
    return count
  }
  return {
    url: urlOf(server),
    cut,
    async [Symbol.asyncDispose]() {
      server.close()
      cut()
      await once(server, 'close')
    },
  }
}
