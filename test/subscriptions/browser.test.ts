import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import type * as Sdk from '@pointwise/client-sdk'
import { chromium } from 'playwright-core'
import { rolldown } from 'rolldown'
import { expect, onTestFinished, test } from 'vitest'
import { urlOf } from '../../server/src/http/address.ts'
import { openShop } from '../setup/shop.ts'
import { startTcpProxy } from '../setup/tcp-proxy.ts'

const CHROMIUM = '/usr/bin/chromium'
const PAGE = `<!doctype html><link rel="icon" href="data:,"><script type="module">
  import { createClient } from '/client.js'
  globalThis.createClient = createClient
</script>`
const soon = { timeout: 20_000, interval: 25 }

/** A page of another origin, with the client and nothing else. */
async function pageElsewhere(): Promise<string> {
  const entry = fileURLToPath(new URL('../../client-sdk/src/index.ts', import.meta.url))
  const bundle = await rolldown({ input: entry, platform: 'browser' })
  const { output } = await bundle.generate({ format: 'es' })
  await bundle.close()
  const host = createServer(({ url }, response) => {
    const isScript = url === '/client.js'
    response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' })
    response.end(isScript ? output[0].code : PAGE)
  }).listen(0, '127.0.0.1')
  await once(host, 'listening')
  onTestFinished(() => void host.close())
  return urlOf(host)
}

test('a browser follows from another origin, goes on when it is cut off, and has the token in no address', async ({
  skip,
}) => {
  if (!existsSync(CHROMIUM)) return skip(`there is no ${CHROMIUM}`)
  const origin = await pageElsewhere()
  await using shop = await openShop({ config: { corsOrigins: [origin] } })
  await using cable = await startTcpProxy(shop.url)
  const { token, client } = await shop.givenUser()
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] })
  onTestFinished(() => browser.close())
  const page = await browser.newPage()
  const asked: string[] = []
  page.on('request', (request) => asked.push(request.url()))
  await page.goto(origin)
  await page.evaluate(
    ({ url, token }) => {
      const { createClient } = globalThis as unknown as typeof Sdk
      const stop = new AbortController()
      const seen = { amounts: [] as number[], isOver: false, stop: () => stop.abort() }
      Object.assign(globalThis, { seen })
      const changes = createClient({ url, token }).points.onChange.subscribe(undefined, { signal: stop.signal })
      const follow = async () => {
        for await (const { data } of changes) seen.amounts.push(data.amount)
        seen.isOver = true
      }
      void follow()
    },
    { url: cable.url, token },
  )
  const seen = () =>
    page.evaluate(() => (globalThis as unknown as { seen: { amounts: number[]; isOver: boolean } }).seen)
  // The first that it is told of shows that it is connected.
  let charged = 0
  const charge = () => client.points.charge.mutate({ amount: ++charged })
  await expect
    .poll(async () => {
      await charge()
      return (await seen()).amounts.length
    }, soon)
    .toBeGreaterThan(0)
  const [first = 0] = (await seen()).amounts
  cable.disconnectAll()
  await charge()
  await charge()
  const all = Array.from({ length: charged - first + 1 }, (_, index) => first + index)
  await expect.poll(async () => (await seen()).amounts, soon).toEqual(all)
  await page.evaluate(() => (globalThis as unknown as { seen: { stop: () => void } }).seen.stop())
  await expect.poll(async () => (await seen()).isOver, soon).toBe(true)
  expect(asked.filter((url) => url.includes('onChange')).length).toBeGreaterThanOrEqual(2)
  expect(asked.filter((url) => url.includes(token))).toEqual([])
})
