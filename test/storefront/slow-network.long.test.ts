import { expect } from 'vitest'
import { eventually } from '../setup/eventually.ts'
import { button, dialog, test, textOf } from './browser-shop.ts'

/** The slow 3G preset of browsers: 400 kbit per second, and two seconds of latency. */
const SLOW_3G = { offline: false, latency: 2_000, downloadThroughput: 50_000, uploadThroughput: 50_000 }

test('On slow 3G, the storefront shows its header, then placeholders, then products, and completes a purchase', async ({
  openStorefront,
}) => {
  await using storefront = await openStorefront()
  await storefront.givenCustomer({ name: 'Ada', points: 1_000 })
  await storefront.shop.givenProduct({ name: 'Blue Kettle', price: 300 })
  const context = await storefront.context()
  const page = await context.newPage()
  const browser = await context.newCDPSession(page)
  await browser.send('Network.enable')
  await browser.send('Network.emulateNetworkConditions', SLOW_3G)

  await page.goto(storefront.shop.url, { waitUntil: 'commit' })
  await page.getByText('Pointwise').first().waitFor()
  expect(await page.locator('.grid a').count()).toBe(0)
  await page.locator('.skeleton').first().waitFor()
  await page.locator('.grid a').click()
  await button(page, 'Buy for 300').click()
  await button(dialog(page), /^Pay 300/).click()
  await eventually(() => textOf(page, '.outcome')).toContain('Paid')
})
