import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { urlOf } from '../../server/src/http/address.ts'

export interface RoundRobinProxy extends AsyncDisposable {
  url: string
}

/**
 * A proxy that sends each request to the next server, and to another one if no connection can be opened. It reports the address of
 * the client, which the header `x-client` replaces.
 */
export async function startRoundRobinProxy(urls: string[]): Promise<RoundRobinProxy> {
  let requests = 0
  /** Forwards to the servers in turn, from the one at this index. */
  const forward = (incoming: IncomingMessage, outgoing: ServerResponse, body: Buffer, index: number, attempt = 1) => {
    const target = new URL(urls[index % urls.length] ?? '')
    const address = incoming.headers['x-client'] ?? incoming.socket.remoteAddress
    const headers = { ...incoming.headers, 'x-forwarded-for': address }
    const { method, url: path } = incoming
    // A connection of its own: one that was open before may belong to a server that was killed.
    const options = { host: target.hostname, port: target.port, method, path, headers, agent: false }
    const upstream = request(options, (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers)
      response.pipe(outgoing)
      response.on('error', () => outgoing.destroy())
    })
    outgoing.on('close', () => upstream.destroy())
    upstream.on('error', (error: NodeJS.ErrnoException) => {
      const isRetried = error.code === 'ECONNREFUSED' && attempt < urls.length
      if (isRetried) forward(incoming, outgoing, body, index + 1, attempt + 1)
      else outgoing.destroy()
    })
    upstream.end(body)
  }
  // A client expects a connection to stay open for the time that the response of the server names.
  const server = createServer({ keepAliveTimeout: 0 }, async (incoming, outgoing) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    forward(incoming, outgoing, Buffer.concat(chunks), requests++)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: urlOf(server),
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
