import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import type { FastifyReply, FastifyRequest } from 'fastify'

const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** The best first. */
const ENCODINGS = [
  { name: 'br', extension: '.br' },
  { name: 'gzip', extension: '.gz' },
]

interface StaticFile {
  type: string
  body: Buffer
  tag: string
  encoded: { name: string; body: Buffer }[]
}

/** The files of a built page, by their path: `/index.html`. They are few and small, so they are kept in memory. */
export type StaticFiles = ReadonlyMap<string, StaticFile>

/** Reads a folder that a bundler filled, with whatever it compressed beforehand. */
export async function readStaticFiles(folder: string): Promise<StaticFiles> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  const bodies = new Map(await Promise.all(files.map(async (file) => [file, await readFile(file)] as const)))
  const site = new Map<string, StaticFile>()
  for (const [file, body] of bodies) {
    const type = TYPES[extname(file)]
    if (!type) continue
    const encoded = ENCODINGS.flatMap(({ name, extension }) => {
      const body = bodies.get(file + extension)
      return body ? [{ name, body }] : []
    })
    const path = `/${relative(folder, file).split(sep).join('/')}`
    site.set(path, { type, body, tag: tagOf(body), encoded })
  }
  return site
}

export function textFile(type: string, text: string): StaticFile {
  const body = Buffer.from(text)
  return { type, body, tag: tagOf(body), encoded: [] }
}

/** Answers with a file, in the best encoding that the browser takes, or says that the browser has it already. */
export function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  { file, cacheControl }: { file: StaticFile; cacheControl: string },
): FastifyReply {
  reply.headers({ 'cache-control': cacheControl, etag: file.tag, vary: 'Accept-Encoding, Origin' })
  if (request.headers['if-none-match'] === file.tag) return reply.code(304).send()
  const accepted = String(request.headers['accept-encoding'] ?? '')
  const encoded = file.encoded.find(({ name }) =>
    new RegExp(`\\b${name}\\b(?!\\s*;\\s*q=0(\\.0*)?\\s*(,|$))`).test(accepted),
  )
  if (encoded) reply.header('content-encoding', encoded.name)
  return reply.type(file.type).send(encoded?.body ?? file.body)
}

function tagOf(body: Buffer): string {
  return `W/"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
}
