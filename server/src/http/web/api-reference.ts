import { createHash } from 'node:crypto'
import scalar from '@scalar/fastify-api-reference'
import type { FastifyInstance } from 'fastify'

const CONFIGURATION = {
  url: '/openapi.json',
  pageTitle: 'Pointwise',
  favicon: '/favicon.svg',
  authentication: { preferredSecurityScheme: 'token' },
  // Whatever it would ask of others: fonts, a proxy, an assistant, its maker's own client.
  withDefaultFonts: false,
  telemetry: false,
  agent: { disabled: true },
  mcp: { disabled: true },
  hideClientButton: true,
  showDeveloperTools: 'never',
} as const

/** What the page may do: run its own script, style itself, and call this server. */
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

/** `/reference`: the description of the API as a page, with which it can be tried. */
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

/** The page starts its script with a line of its own, which is let pass by what it says. */
function policyFor(page: string): string {
  const lines = [...page.matchAll(/<script(?![^>]* src=)[^>]*>([\s\S]*?)<\/script>/g)]
  const hashes = lines.map(([, line = '']) => `'sha256-${createHash('sha256').update(line).digest('base64')}'`)
  return [...Object.entries(POLICY).map((rule) => rule.join(' ')), ['script-src', "'self'", ...hashes].join(' ')].join(
    '; ',
  )
}
