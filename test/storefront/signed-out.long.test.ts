import type { Page } from 'playwright-core'
import { afterEach, describe, expect, vi } from 'vitest'
import { eventually } from '../setup/eventually.ts'
import { button, dialog, saveScreenshot, test, textOf } from './browser-shop.ts'
import { openPurchaseDialog, outcomeText } from './purchase-steps.ts'

/** The lifetime of a token, and more than the leeway for clocks. */
const EXPIRED_AFTER_MS = 3_610_000
/** The clock of the browser is behind that of the server, so its first deadline has passed. */
const EXPECTED_PROBLEMS = /401|504/

async function signIn(page: Page, token: string): Promise<void> {
  await dialog(page).getByLabel('Token').fill(token)
  await button(dialog(page), 'Sign in').click()
}

afterEach(() => void vi.useRealTimers())

describe('A customer whose token has expired', () => {
  test('reads that nothing has changed, signs in again with a token, and completes the purchase: token_invalid', async ({
    openStorefront,
  }) => {
    await using storefront = await openStorefront()
    storefront.expectedProblems = EXPECTED_PROBLEMS
    const product = await storefront.shop.givenProduct({ price: 300 })
    const ada = await storefront.shop.givenUser({ name: 'Ada', points: 1_000 })
    const page = await storefront.visit(`/products/${product.id}`)
    await button(page, 'Sign in').last().click()
    await signIn(page, ada.token)
    await page.getByLabel('Quantity').fill('2')
    await button(page, /^Buy for 600/).click()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + EXPIRED_AFTER_MS })
    await button(dialog(page), /^Pay 600/).click()
    await eventually(() => outcomeText(page)).toBe(
      'You are no longer signed in Nothing has changed. Sign in again to continue.',
    )
    await saveScreenshot(page, 'refusal-token-invalid')
    await button(dialog(page), 'Sign in again').click()
    await signIn(page, await storefront.shop.userToken(ada.id))
    await button(dialog(page), /^Pay 600/).click()
    await eventually(() => outcomeText(page)).toContain('Paid')
    expect(await storefront.shop.asUser(ada.id).points.balance()).toMatchObject({ balance: 400 })
  })

  test('gets a new demo token with one click, in the purchase dialog, in a list and in the top-up form', async ({
    openStorefront,
  }) => {
    await using storefront = await openStorefront()
    storefront.expectedProblems = EXPECTED_PROBLEMS
    const product = await storefront.shop.givenProduct({ price: 300 })
    await storefront.givenCustomer({ name: 'Bob' })
    const ada = await storefront.givenCustomer({ name: 'Ada', points: 1_000 })
    const context = await storefront.context()
    // This tab subscribes for both tabs. The other tab has to poll, because the subscription ends with the token.
    const other = await storefront.visit('/orders', { context })
    await other.getByLabel('Shopping as').selectOption('Ada')
    await eventually(() => textOf(other)).toContain('No orders here yet')
    const page = await openPurchaseDialog(storefront, product, { as: 'Ada', context })
    const expire = async () => {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + EXPIRED_AFTER_MS })
      await storefront.renewTokens()
    }
    await expire()
    await button(dialog(page), /^Pay 300/).click()
    await button(dialog(page), 'Sign in again').click()
    await eventually(() => page.evaluate('document.activeElement.textContent')).toMatch(/^Pay 300/)
    await button(dialog(page), /^Pay 300/).click()
    await eventually(() => outcomeText(page)).toContain('Paid')

    await expire()
    await dialog(page).getByRole('link', { name: 'See your orders' }).click()
    await eventually(() => textOf(page)).toContain('You are no longer signed in')
    await button(page, 'Sign in again').click()
    await eventually(() => textOf(page, '.orders')).toContain('Paid')

    await expire()
    await page.getByRole('link', { name: 'Points', exact: true }).click()
    await page.getByLabel('Top up points').fill('7')
    await button(page, 'Top up').click()
    await button(page.locator('form.charge'), 'Sign in again').click()
    await eventually(() => textOf(page, '.charge-result')).toContain('Points are added to your balance immediately')
    await button(page, 'Top up').click()
    await eventually(() => textOf(page, '.wallet-balance')).toMatch(/^707/)
    expect(await storefront.shop.asUser(ada.id).points.balance()).toMatchObject({ balance: 707 })
  })
})
