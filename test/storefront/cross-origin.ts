import { createServer } from 'node:http'
import { urlOf } from '../../server/src/http/address.ts'
import { builtSite } from './browser-shop.ts'

/** A server of files alone, as any host of pages is, which was told where the shop's server is. */
export async function serveElsewhere() {
  const site = await builtSite()
  const elsewhere = { server: '', origin: '', async [Symbol.asyncDispose]() {} }
  const host = createServer(({ url = '' }, response) => {
    const file = site.get(url) ?? site.get('/index.html')
    if (!file) throw new Error('The page is not built.')
    const told = `name="pointwise-server" content="${elsewhere.server}"`
    const isPage = file.type.startsWith('text/html')
    const body = isPage ? file.body.toString().replace('name="pointwise-server" content="/"', told) : file.body
    response.writeHead(200, { 'content-type': file.type }).end(body)
  })
  await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve))
  elsewhere.origin = urlOf(host)
  elsewhere[Symbol.asyncDispose] = async () => {
    host.closeAllConnections()
    await new Promise((resolve) => host.close(resolve))
  }
  return elsewhere
}
