import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join } from 'node:path'
import { urlOf } from '../../server/src/http/address.ts'
import { builtSite } from './browser-shop.ts'

const TYPES: Record<string, string> = { '.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml' }

/** A static file server of another origin, whose page contains the URL of the shop's server. */
export async function serveFromOtherOrigin() {
  const { directory } = await builtSite()
  const otherOrigin = { server: '', origin: '', async [Symbol.asyncDispose]() {} }
  const host = createServer(({ url = '' }, response) => {
    const asset = TYPES[extname(url)]
    if (asset) return response.writeHead(200, { 'content-type': asset }).end(readFileSync(join(directory, url)))
    const meta = `name="pointwise-server" content="${otherOrigin.server}"`
    const page = readFileSync(join(directory, 'index.html'), 'utf8').replace(
      'name="pointwise-server" content="/"',
      meta,
    )
    return response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page)
  })
  await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve))
  otherOrigin.origin = urlOf(host)
  otherOrigin[Symbol.asyncDispose] = async () => {
    host.closeAllConnections()
    await new Promise((resolve) => host.close(resolve))
  }
  return otherOrigin
}
