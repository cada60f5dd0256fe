import type { FastifyRequest } from 'fastify'
import { RequestError } from './error-responses.ts'

/*
 * All text of a request is UTF-8. Other bytes are rejected and not replaced: a replacement character would be stored as if the
 * client had sent it.
 */

/** @throws RequestError 400 */
export function checkUrl({ url }: FastifyRequest): void {
  if (/^[\x21-\x7e]*$/.test(url) && isDecodable(url)) return
  throw new RequestError(400, 'The URL must consist of ASCII characters, and its percent-encoded bytes must be UTF-8.')
}

function isDecodable(url: string): boolean {
  if (!url.includes('%')) return true
  try {
    decodeURIComponent(url)
    return true
  } catch {
    return false
  }
}

/**
 * Checks the type and the encoding of the body, before the body is read.
 *
 * @throws RequestError 415
 */
export function checkBodyHeaders({ headers }: FastifyRequest): void {
  const { 'content-type': type = '', 'content-encoding': encoding = 'identity', ...others } = headers
  const hasBody = others['transfer-encoding'] !== undefined || Number(others['content-length']) > 0
  if (!hasBody) return
  if (encoding.trim().toLowerCase() !== 'identity') {
    throw new RequestError(415, 'The body must not be compressed. Send it without a Content-Encoding header.')
  }
  for (const [, quoted, bare] of type.matchAll(/;\s*charset\s*=\s*(?:"([^"]*)"|([^;\s]*))/gi)) {
    if (/^utf-?8$/i.test(quoted ?? bare ?? '')) continue
    throw new RequestError(415, 'The body must be UTF-8. Send the content type application/json without a charset.')
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Returns the text of a body, without its byte order mark.
 *
 * @throws RequestError 400
 */
export function decodeBody(body: Buffer): string {
  try {
    return utf8.decode(body)
  } catch {
    throw new RequestError(400, 'The body contains bytes that are not UTF-8.')
  }
}
