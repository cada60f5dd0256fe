import type { FastifyInstance } from 'fastify'
import { createAsyncapiDocument } from '../../asyncapi/asyncapi-document.ts'
import { createDocument } from '../../openapi/document.ts'

/** Serves the OpenAPI document at `/openapi.json` and the AsyncAPI document of the events at `/asyncapi.json`. */
export function mountApiDocuments(app: FastifyInstance, { eventTopic }: { eventTopic?: string }): void {
  mountDocument(app, '/openapi.json', createDocument)
  mountDocument(app, '/asyncapi.json', () =>
    createAsyncapiDocument(eventTopic === undefined ? {} : { topic: eventTopic }),
  )
}

/** The document is created on the first request. */
function mountDocument(app: FastifyInstance, path: string, create: () => object): void {
  let text: string | undefined
  app.get(path, async (_request, reply) => {
    text ??= JSON.stringify(create())
    return reply.type('application/json').send(text)
  })
}
