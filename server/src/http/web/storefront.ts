import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import { buildFailedPage, buildingPage } from './placeholder-page.ts'

/** Where `npm run build:storefront` writes its build. */
const BUILD_DIRECTORY = fileURLToPath(new URL('../../../../client-sdk/example/storefront/dist', import.meta.url))

/** The paths that the page routes itself. Each is answered with the same HTML. */
const PAGE_PATHS = ['/', '/products/:productId(^\\d+$)', '/orders', '/points']
/** Files whose name contains a hash of their content. The pattern excludes the pre-compressed copies beside them. */
const ASSET_PATH = '/assets/:file(^[\\w-]+\\.(?:css|js|svg)$)'
const ASSET_CACHING = { cacheControl: true, maxAge: '365d', immutable: true }
const UNHASHED_FILES = ['favicon.svg', 'theme.js']

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** A user as whom a visitor of the demo storefront can shop. */
export interface DemoUser {
  id: number
  name: string
  token: string
}

/** The directory of a finished build, or why there is none. */
export type StorefrontBuildState = 'building' | 'failed' | { directory: string }

export interface Storefront {
  /** Called for each request, so that the route follows a build that finishes while the server is running. */
  build: () => StorefrontBuildState
  /** The users that the page offers for signing in. Only for the embedded mode, because it returns their tokens. */
  users?: () => Promise<DemoUser[]>
}

/**
 * Serves the storefront at `/`: `storefront`, or the build of `npm run build:storefront`. Without a build it logs a warning
 * and serves nothing.
 */
export async function mountStorefront(app: FastifyInstance, storefront = productionBuild()): Promise<void> {
  if (!storefront) {
    app.log.warn({ directory: BUILD_DIRECTORY }, 'the storefront is not built; run npm run build:storefront')
    return
  }
  await app.register(fastifyStatic, { serve: false, preCompressed: true, index: false, cacheControl: false })
  mountPage(app, storefront)
  mountFiles(app, storefront)
  const { users } = storefront
  if (users) {
    app.get('/storefront/users.json', async (_request, reply) => {
      reply.header('cache-control', 'no-store')
      return { users: await users() }
    })
  }
}

function mountPage(app: FastifyInstance, { build, users }: Storefront): void {
  let page: { directory: string; html: string; etag: string } | undefined
  const pageOf = async (directory: string) => {
    if (page?.directory === directory) return page
    const built = await readFile(join(directory, 'index.html'), 'utf8')
    const html = users ? withUsersMeta(built) : built
    page = { directory, html, etag: `W/"${createHash('sha256').update(html).digest('base64url')}"` }
    return page
  }
  for (const path of PAGE_PATHS) {
    app.get(path, async (request, reply) => {
      const state = build()
      if (typeof state === 'string') {
        const { html, policy } = state === 'building' ? buildingPage : buildFailedPage
        reply.code(503).headers({ 'content-security-policy': policy, 'cache-control': 'no-store' })
        return reply.type('text/html').send(html)
      }
      const { html, etag } = await pageOf(state.directory)
      reply.headers({ 'content-security-policy': CONTENT_SECURITY_POLICY, 'cache-control': 'no-cache', etag })
      if (request.headers['if-none-match'] === etag) return reply.code(304).send()
      return reply.type('text/html; charset=utf-8').send(html)
    })
  }
}

function mountFiles(app: FastifyInstance, { build }: Storefront): void {
  app.get<{ Params: { file: string } }>(ASSET_PATH, ({ params }, reply) => {
    const state = build()
    if (typeof state === 'string') return reply.callNotFound()
    return reply.sendFile(`assets/${params.file}`, state.directory, ASSET_CACHING)
  })
  for (const file of UNHASHED_FILES) {
    app.get(`/${file}`, (_request, reply) => {
      const state = build()
      if (typeof state === 'string') return reply.callNotFound()
      return reply.header('cache-control', 'no-cache').sendFile(file, state.directory)
    })
  }
}

function withUsersMeta(html: string): string {
  return html.replace('</title>', '</title>\n    <meta name="pointwise-users" content="/storefront/users.json" />')
}

function productionBuild(): Storefront | undefined {
  return existsSync(BUILD_DIRECTORY) ? { build: () => ({ directory: BUILD_DIRECTORY }) } : undefined
}
