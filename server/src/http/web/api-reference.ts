import { createHash } from 'node:crypto'
import scalar, { type ApiReferenceConfiguration } from '@scalar/fastify-api-reference'
import type { FastifyInstance } from 'fastify'

const CONFIGURATION = {
  sources: [
    { title: 'API', slug: 'api', url: '/openapi.json' },
    { title: 'Events', slug: 'events', url: '/asyncapi.json' },
  ],
  pageTitle: 'Pointwise',
  favicon: '/favicon.svg',
  authentication: { preferredSecurityScheme: 'token' },
  // Nothing is loaded from other servers: no fonts, proxy, assistant or hosted client.
  withDefaultFonts: false,
  telemetry: false,
  agent: { disabled: true },
  mcp: { disabled: true },
  hideClientButton: true,
  showDeveloperTools: 'never',
} satisfies Partial<ApiReferenceConfiguration>

/** The page can run its own script, use inline styles, and call this server. */
const POLICY = {
  'default-src': "'none'",
  'connect-src': "'self'",
  'font-src': "'self' data:",
  'img-src': "'self' data: blob:",
  'style-src': "'self' 'unsafe-inline'",
  'worker-src': "'self' blob:",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
}

/** Serves the API reference at `/reference`: a page that shows the OpenAPI document, can send calls, and shows the AsyncAPI
 * document of the events. */
export async function mountReference(app: FastifyInstance): Promise<void> {
  // biome-ignore lint/nursery/noMisusedPromises: `register` also accepts an asynchronous plugin, and waits for it.
  await app.register(async (scope) => {
    scope.addHook('onSend', async (_request, reply, payload) => {
      if (typeof payload !== 'string' || !String(reply.getHeader('content-type')).startsWith('text/html'))
        return payload
      reply.header('content-security-policy', policyFor(payload))
      return payload
    })
    await scope.register(scalar, { routePrefix: '/reference', configuration: CONFIGURATION })
  })
}

/** Allows the inline script that starts the page, by its hash. */
function policyFor(page: string): string {
  const scripts = [...page.matchAll(/<script(?![^>]* src=)[^>]*>([\s\S]*?)<\/script>/g)]
  const hashes = scripts.map(([, text = '']) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`)
  return [...Object.entries(POLICY).map((rule) => rule.join(' ')), ['script-src', "'self'", ...hashes].join(' ')].join(
    '; ',
  )
}
