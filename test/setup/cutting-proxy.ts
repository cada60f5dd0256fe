import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

const COM_QUERY = 3

export interface CuttingProxy extends AsyncDisposable {
  /** The address of the database behind the proxy. */
  url: string
  /** How many connections it has cut. */
  cuts: () => number
  /** Closes the proxy and everything that is open through it. */
  close: () => Promise<void>
}

/**
 * Passes a database connection on, byte for byte, until `statement` is sent. The connection is then cut before the
 * server has seen the statement, or after the server has answered it and before the client sees the answer; or nothing
 * passes any more in either direction, as when a cable is pulled.
 */
export async function cuttingProxy(
  url: string,
  statement: string,
  when: 'before' | 'after' | 'silence',
): Promise<CuttingProxy> {
  const { hostname, port } = new URL(url)
  const sockets = new Set<Socket>()
  let cuts = 0
  const server = createServer((client) => {
    const database = connect(Number(port || 3306), hostname)
    const cut = () => {
      client.destroy()
      database.destroy()
    }
    let isCutting = false
    const isStatement = (chunk: Buffer) =>
      chunk[4] === COM_QUERY && chunk.toString('latin1').toLowerCase().endsWith(statement)
    for (const socket of [client, database]) {
      sockets.add(socket)
      socket.on('close', cut).on('error', cut)
    }
    client.on('data', (chunk) => {
      if (isStatement(chunk)) {
        isCutting = true
        cuts++
        if (when === 'before') return cut()
      }
      if (!isCutting || when === 'after') database.write(chunk)
    })
    database.on('data', (chunk) => {
      if (!isCutting) client.write(chunk)
      else if (when === 'after') cut()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxied = new URL(url)
  proxied.hostname = '127.0.0.1'
  proxied.port = String((server.address() as AddressInfo).port)
  const close = async () => {
    for (const socket of sockets) socket.destroy()
    if (!server.listening) return
    server.close()
    await once(server, 'close')
  }
  return { url: proxied.href, cuts: () => cuts, close, [Symbol.asyncDispose]: close }
}
