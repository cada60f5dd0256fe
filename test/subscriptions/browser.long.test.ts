import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import type * as Sdk from '@pointwise/client-sdk'
import { chromium } from 'playwright-core'
import { rolldown } from 'rolldown'
import { expect, onTestFinished, test } from 'vitest'
import { urlOf } from '../../server/src/http/address.ts'
import { eventually } from '../setup/eventually.ts'
import { openShop } from '../setup/shop.ts'
import { startTcpProxy } from '../setup/tcp-proxy.ts'

const CHROMIUM = '/usr/bin/chromium'
const PAGE = `<!doctype html><link rel="icon" href="data:,"><script type="module">
  import { createClient } from '/client.js'
  globalThis.createClient = createClient
</script>`

/** Serves an empty page that loads the SDK, and returns its origin. */
async function servePage(): Promise<string> {
  const entry = fileURLToPath(new URL('../../client-sdk/src/index.ts', import.meta.url))
  const bundle = await rolldown({ input: entry, platform: 'browser' })
  const { output } = await bundle.generate({ format: 'es' })
  await bundle.close()
  const server = createServer(({ url }, response) => {
    const isScript = url === '/client.js'
    response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' })
    response.end(isScript ? output[0].code : PAGE)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return urlOf(server)
}

test('a browser subscribes from another origin, resumes after a disconnection, and sends its token in no URL', async ({
  skip,
}) => {
  if (!existsSync(CHROMIUM)) return skip(`${CHROMIUM} does not exist`)
  const origin = await servePage()
  await using shop = await openShop({ config: { corsOrigins: [origin] } })
  await using proxy = await startTcpProxy(shop.url)
  const { token, client } = await shop.givenUser()
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] })
  onTestFinished(() => browser.close())
  const page = await browser.newPage()
  const requestedUrls: string[] = []
  page.on('request', (request) => requestedUrls.push(request.url()))
  await page.goto(origin)
  await page.evaluate(
    ({ url, token }) => {
      const { createClient } = globalThis as unknown as typeof Sdk
      const controller = new AbortController()
      const state = { amounts: [] as number[], isEnded: false, abort: () => controller.abort() }
      Object.assign(globalThis, { state })
      const changes = createClient({ url, token }).points.onChange.subscribe(undefined, { signal: controller.signal })
      const read = async () => {
        for await (const { data } of changes) state.amounts.push(data.amount)
        state.isEnded = true
      }
      void read()
    },
    { url: proxy.url, token },
  )
  const readState = () =>
    page.evaluate(() => (globalThis as unknown as { state: { amounts: number[]; isEnded: boolean } }).state)
  // The first change that arrives shows that the page is connected.
  let charged = 0
  const charge = () => client.points.charge.mutate({ amount: ++charged })
  await eventually(async () => {
    await charge()
    return (await readState()).amounts.length
  }).toBeGreaterThan(0)
  const [first = 0] = (await readState()).amounts
  proxy.disconnectAll()
  await charge()
  await charge()
  const expected = Array.from({ length: charged - first + 1 }, (_, index) => first + index)
  await eventually(async () => (await readState()).amounts).toEqual(expected)
  await page.evaluate(() => (globalThis as unknown as { state: { abort: () => void } }).state.abort())
  await eventually(async () => (await readState()).isEnded).toBe(true)
  expect(requestedUrls.filter((url) => url.includes('onChange')).length).toBeGreaterThanOrEqual(2)
  expect(requestedUrls.filter((url) => url.includes(token))).toEqual([])
})
