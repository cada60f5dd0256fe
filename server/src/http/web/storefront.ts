import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance } from 'fastify'
import { buildFailedPage, buildingPage } from './placeholder-page.ts'
import { readStaticFiles, type StaticFiles, sendFile, textFile } from './static-files.ts'

/** Where `npm run build:storefront` builds. */
const FOLDER = fileURLToPath(new URL('../../../../client-sdk/example/storefront/dist', import.meta.url))

/** The addresses that the page itself tells apart. */
const PLACES = ['/', '/products/:productId(^\\d+$)', '/orders', '/points']

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const ASK_EACH_TIME = 'no-cache'
/** Of files whose name changes with what is in them. */
const FOR_EVER = 'public, max-age=31536000, immutable'

/** A user of the demonstration, between whom a visitor may switch. */
export interface DemoUser {
  id: number
  name: string
  token: string
}

export interface Storefront {
  site: () => StaticFiles | 'being built' | 'not built'
  /** Only where everybody may be anybody: in the embedded mode. */
  users?: () => Promise<DemoUser[]>
}

/** The shop as a page, at `/`: the build that is there, or the one that is given. */
export async function mountStorefront(app: FastifyInstance, given?: Storefront): Promise<void> {
  const storefront = given ?? (await builtStorefront())
  if (!storefront) {
    app.log.warn({ folder: FOLDER }, 'the storefront is not built, and not served: npm run build:storefront')
    return
  }
  const { site, users } = storefront
  for (const place of PLACES) {
    app.get(place, (request, reply) => {
      const current = site()
      if (typeof current === 'string') {
        const { page, policy } = current === 'being built' ? buildingPage : buildFailedPage
        return reply
          .code(503)
          .headers({ 'content-security-policy': policy, 'cache-control': 'no-store' })
          .type('text/html')
          .send(page)
      }
      const html = current.get('/index.html')?.body.toString() ?? ''
      const page = users
        ? html.replace('</title>', '</title>\n    <meta name="pointwise-users" content="/storefront/users.json" />')
        : html
      reply.header('content-security-policy', POLICY)
      return sendFile(request, reply, { file: textFile('text/html; charset=utf-8', page), cacheControl: ASK_EACH_TIME })
    })
  }
  for (const path of ['/assets/:file', '/favicon.svg', '/theme.js']) {
    app.get(path, (request, reply) => {
      const current = site()
      const file = typeof current === 'string' ? undefined : current.get(request.url.split('?', 1)[0] ?? '')
      if (!file) return reply.callNotFound()
      return sendFile(request, reply, { file, cacheControl: path === '/assets/:file' ? FOR_EVER : ASK_EACH_TIME })
    })
  }
  if (users) {
    app.get('/storefront/users.json', async (_request, reply) => {
      reply.header('cache-control', 'no-store')
      return { users: await users() }
    })
  }
}

async function builtStorefront(): Promise<Storefront | undefined> {
  if (!existsSync(FOLDER)) return
  const site = await readStaticFiles(FOLDER)
  return { site: () => site }
}
