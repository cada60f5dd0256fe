import { expect } from 'vitest'
import { eventually } from '../setup/eventually.ts'
import { button, dialog, test, textOf } from './browser-shop.ts'

/** What browsers call slow 3G: 400 kbit a second, and two seconds until an answer begins. */
const SLOW_3G = { offline: false, latency: 2_000, downloadThroughput: 50_000, uploadThroughput: 50_000 }

test('the shop works at slow 3G: a page at once, then its shape, then products, and a purchase', async ({
  openStore,
}) => {
  await using store = await openStore()
  await store.givenCustomer({ name: 'Ada', points: 1_000 })
  await store.shop.givenProduct({ name: 'Blue Kettle', price: 300 })
  const context = await store.context()
  const page = await context.newPage()
  const browser = await context.newCDPSession(page)
  await browser.send('Network.enable')
  await browser.send('Network.emulateNetworkConditions', SLOW_3G)

  await page.goto(store.shop.url, { waitUntil: 'commit' })
  await page.getByText('Pointwise').first().waitFor()
  expect(await page.locator('.grid a').count()).toBe(0)
  await page.locator('.bone').first().waitFor()
  await page.locator('.grid a').click()
  await button(page, 'Buy for 300').click()
  await button(dialog(page), /^Pay 300/).click()
  await eventually(() => textOf(page, '.outcome')).toContain('Paid')
})
