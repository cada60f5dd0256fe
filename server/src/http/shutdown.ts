import type { FastifyInstance } from 'fastify'
import { answerClosing } from './errors.ts'

const SWEEP_MS = 250

/**
 * From the moment `app.close()` is called: requests that are under way finish, new ones on open connections get 503, and
 * keep-alive sockets are closed as soon as they are idle. Returns whether that moment has come.
 */
export function drainOnClose(app: FastifyInstance): () => boolean {
  let closing = false
  let sweep: NodeJS.Timeout | undefined
  app.addHook('preClose', async () => {
    closing = true
    sweep = setInterval(() => app.server.closeIdleConnections(), SWEEP_MS)
  })
  app.addHook('onClose', async () => clearInterval(sweep))
  app.addHook('onRequest', async (request, reply) => {
    if (!closing || request.url === '/livez' || request.url === '/readyz') return
    answerClosing(request, reply)
    return reply
  })
  return () => closing
}
