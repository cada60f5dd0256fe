import type { Page } from 'playwright-core'
import { describe, expect } from 'vitest'
import { eventually } from '../setup/eventually.ts'
import { openShop, type Shop } from '../setup/shop.ts'
import { button, dialog, saveScreenshot, test, textOf } from './browser-shop.ts'
import { openPurchaseDialog, outcomeText } from './purchase-steps.ts'

const CHECKOUT = '**/trpc/orders.checkout'
const CHARGE = '**/trpc/points.charge'

/** Redirects a call to another server, which refuses it. */
async function redirectTo(other: Shop, page: Page, call = CHECKOUT): Promise<void> {
  await page.route(call, async (route) => {
    const { pathname } = new URL(route.request().url())
    await route.fulfill({ response: await route.fetch({ url: other.url + pathname }) })
  })
}

/** A server that refuses every call from this machine with `rate_limited` for a minute. */
async function openRateLimited(): Promise<Shop> {
  const rateLimited = await openShop({ config: { rateLimit: 1 }, fresh: 'rate-limited' })
  await rateLimited.client().stores.list.query()
  return rateLimited
}

/** Sends the call to the server and drops the response. */
async function dropResponse(page: Page, call = CHECKOUT): Promise<void> {
  await page.route(call, async (route) => {
    await route.fetch()
    await route.abort('connectionreset')
  })
}

describe('A customer learns the outcome of a purchase', () => {
  test('when the shop is busy: nothing has changed, and the purchase is retried: service_busy', async ({
    openStorefront,
  }) => {
    await using storefront = await openStorefront()
    // A server that rejects every call as overloaded.
    await using busy = await openShop({ limits: { concurrentCallsMax: 0 }, fresh: 'busy' })
    storefront.expectedProblems = /503/
    const product = await storefront.shop.givenProduct({ price: 100 })
    const { client } = await storefront.givenCustomer({ points: 1_000 })
    const page = await openPurchaseDialog(storefront, product)
    await redirectTo(busy, page)
    await button(dialog(page), /^Pay/).click()
    await eventually(() => outcomeText(page)).toBe(
      'The shop is very busy Nothing has changed: no points were taken, and no order was placed.',
    )
    expect(await client.points.balance.query()).toMatchObject({ balance: 1_000 })
    await page.unroute(CHECKOUT)
    await eventually(() => outcomeText(page)).toContain('Paid')
    expect((await client.orders.list.query()).items).toHaveLength(1)
  })

  test('when there were too many requests: nothing has changed, and the purchase is retried after the delay: rate_limited', async ({
    openStorefront,
  }) => {
    await using storefront = await openStorefront()
    storefront.expectedProblems = /429/
    const product = await storefront.shop.givenProduct({ price: 100 })
    const { client } = await storefront.givenCustomer({ points: 1_000 })
    const context = await storefront.context()
    await context.clock.install()
    const page = await openPurchaseDialog(storefront, product, { context })
    await using rateLimited = await openRateLimited()
    await redirectTo(rateLimited, page)
    await button(dialog(page), /^Pay/).click()
    await eventually(() => outcomeText(page)).toBe('Too many requests Nothing has changed. Please wait a moment.')
    await eventually(() => textOf(page, 'dialog .hint')).toMatch(/^Trying again in [1-6]\d s…$/)
    await saveScreenshot(page, 'refusal-rate-limited')
    expect(await client.points.balance.query()).toMatchObject({ balance: 1_000 })
    await page.unroute(CHECKOUT)
    await page.clock.fastForward('01:00')
    await eventually(() => outcomeText(page)).toContain('Paid')
    expect((await client.orders.list.query()).items).toHaveLength(1)
  })

  test('when the response is lost: the customer can check and pays once', async ({ openStorefront }) => {
    await using storefront = await openStorefront()
    storefront.expectedProblems = /ERR_/
    const product = await storefront.shop.givenProduct({ price: 100 })
    const { client } = await storefront.givenCustomer({ points: 1_000 })
    const page = await openPurchaseDialog(storefront, product)
    await dropResponse(page)
    await button(dialog(page), /^Pay/).click()
    await eventually(() => outcomeText(page)).toContain('We do not know yet whether it went through')
    await saveScreenshot(page, 'outcome-unknown')
    await page.unroute(CHECKOUT)
    await button(dialog(page), 'Check now').click()
    await eventually(() => outcomeText(page)).toMatch(/^Your payment went through Order \d+ is yours. You paid once./)
    expect((await client.orders.list.query()).items).toHaveLength(1)
    expect(await client.points.balance.query()).toMatchObject({ balance: 900 })
  })

  test('when the response is lost and the check is refused: the outcome is still shown as unknown', async ({
    openStorefront,
  }) => {
    await using storefront = await openStorefront()
    storefront.expectedProblems = /ERR_|429/
    const product = await storefront.shop.givenProduct({ price: 100 })
    const { client } = await storefront.givenCustomer({ points: 1_000 })
    const page = await openPurchaseDialog(storefront, product)
    await dropResponse(page)
    await button(dialog(page), /^Pay/).click()
    await eventually(() => outcomeText(page)).toContain('We do not know yet whether it went through')
    await page.unroute(CHECKOUT)
    await using rateLimited = await openRateLimited()
    await redirectTo(rateLimited, page)
    await button(dialog(page), 'Check now').click()
    await eventually(() => outcomeText(page)).toBe(
      'Too many requests We still do not know whether it went through. You can safely check again: it will not happen twice.',
    )
    await page.unroute(CHECKOUT)
    await button(dialog(page), 'Try again now').click()
    await eventually(() => outcomeText(page)).toMatch(/^Your payment went through Order \d+ is yours. You paid once./)
    expect((await client.orders.list.query()).items).toHaveLength(1)
  })

  test('when the response to a top-up is lost and the check is refused: the customer can check later and is charged once', async ({
    openStorefront,
  }) => {
    await using storefront = await openStorefront()
    storefront.expectedProblems = /ERR_|429/
    const { client } = await storefront.givenCustomer({ points: 1_000 })
    const page = await storefront.visit('/points')
    await page.getByLabel('Top up points').fill('70')
    await dropResponse(page, CHARGE)
    await button(page, 'Top up').click()
    const result = () => textOf(page, '.charge-result')
    await eventually(result).toBe('The connection was lost. We do not know yet whether it went through.')
    await page.unroute(CHARGE)
    await using rateLimited = await openRateLimited()
    await redirectTo(rateLimited, page, CHARGE)
    await page.getByLabel('Top up points').press('Enter')
    await eventually(result).toBe(
      'Too many requests. We still do not know whether it went through. You can safely check again: it will not happen twice.',
    )
    await page.unroute(CHARGE)
    // Another amount would be another charge.
    expect(await page.getByLabel('Top up points').isEditable()).toBe(false)
    expect(await button(page, '5,000').isDisabled()).toBe(true)
    expect(await button(page, 'Top up').count()).toBe(0)
    await button(page, 'Check now').click()
    await eventually(result).toBe('Added 70 points. Your balance is now 1,070.')
    expect((await client.points.histories.query()).items.map(({ amount }) => amount)).toEqual([70, 1_000])
  })
})
