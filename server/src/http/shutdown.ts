import type { Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { answerClosing } from './errors.ts'

const SWEEP_MS = 250
/** How long a client may still take to say what it wants. */
const SPEAK_WITHIN_MS = 2_000

/**
 * From the moment `app.close()` is called: requests that are under way finish, new ones on open connections get 503, and
 * keep-alive sockets are closed as soon as they are idle; those on which nobody says what they want, two seconds later.
 * Returns whether that moment has come.
 */
export function drainOnClose(app: FastifyInstance): () => boolean {
  const closeSilent = silentConnections(app.server)
  let closing = false
  let sweep: NodeJS.Timeout | undefined
  app.addHook('preClose', async () => {
    closing = true
    const began = performance.now()
    sweep = setInterval(() => {
      app.server.closeIdleConnections()
      if (performance.now() - began > SPEAK_WITHIN_MS) closeSilent()
    }, SWEEP_MS)
  })
  app.addHook('onClose', async () => clearInterval(sweep))
  app.addHook('onRequest', (request, reply, done) => {
    if (!closing || request.url === '/livez' || request.url === '/readyz') done()
    else answerClosing(request, reply)
  })
  return () => closing
}

/**
 * Closes the connections on which no request is under way. To Node a connection is not idle while the head of its first
 * request has not arrived whole, and browsers open connections before they need them.
 */
function silentConnections(server: Server): () => void {
  const connections = new Set<Socket>()
  const answers = new Set<ServerResponse>()
  server.on('connection', (socket) => {
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
  })
  server.on('request', (_request, response) => {
    answers.add(response)
    response.once('close', () => answers.delete(response))
  })
  return () => {
    const busy = new Set([...answers].map(({ req }) => req.socket))
    for (const connection of connections) if (!busy.has(connection)) connection.destroy()
  }
}
