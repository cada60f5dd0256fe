import type { FastifyInstance } from 'fastify'
import { createDocument } from '../../openapi/document.ts'

/** `/openapi.json`: what can be called, and how. Made when it is first asked for. */
export function mountOpenapi(app: FastifyInstance): void {
  let text: string | undefined
  app.get('/openapi.json', async (_request, reply) => {
    text ??= JSON.stringify(createDocument())
    return reply.type('application/json').send(text)
  })
}
