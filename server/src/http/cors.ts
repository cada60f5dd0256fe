import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'

const PREFLIGHT_MAX_AGE_SECONDS = 600

/** Lets pages of these origins call the server and read its responses. Cookies are never allowed. */
export async function registerCors(app: FastifyInstance, origins: string[]): Promise<void> {
  await app.register(cors, {
    origin: origins,
    methods: ['GET', 'POST'],
    allowedHeaders: [
      'authorization',
      'content-type',
      'last-event-id',
      'request-deadline',
      'trpc-accept',
      'x-request-id',
    ],
    exposedHeaders: ['retry-after', 'server-time', 'x-request-id'],
    maxAge: PREFLIGHT_MAX_AGE_SECONDS,
  })
}
