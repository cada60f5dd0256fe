import type { FastifyInstance } from 'fastify'
import { createDocument } from '../../openapi/document.ts'

/** Serves the OpenAPI document at `/openapi.json`. It is created on the first request. */
export function mountOpenapi(app: FastifyInstance): void {
  let text: string | undefined
  app.get('/openapi.json', async (_request, reply) => {
    text ??= JSON.stringify(createDocument())
    return reply.type('application/json').send(text)
  })
}
