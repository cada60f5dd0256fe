import type { Page } from 'playwright-core'
import { afterEach, describe, expect, vi } from 'vitest'
import { eventually } from '../setup/eventually.ts'
import { button, dialog, keepScreenshot, test, textOf } from './browser-shop.ts'
import { askToBuy, said } from './request-recorder.ts'

const HOUR_MS = 3_600_000

async function signIn(page: Page, token: string): Promise<void> {
  await dialog(page).getByLabel('Token').fill(token)
  await button(dialog(page), 'Sign in').click()
}

afterEach(() => void vi.useRealTimers())

describe('a customer who is not signed in any more goes on', () => {
  test('when their sign-in has expired: nothing happened, and they sign in and go on', async ({ openStore }) => {
    await using store = await openStore()
    store.expectedProblems = /401/
    const product = await store.shop.givenProduct({ price: 300 })
    const ada = await store.shop.givenUser({ name: 'Ada', points: 1_000 })
    const page = await store.visit(`/products/${product.id}`)
    await button(page, 'Sign in').last().click()
    await signIn(page, ada.token)
    await page.getByLabel('Quantity').fill('2')
    await button(page, /^Buy for 600/).click()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + HOUR_MS })
    await button(dialog(page), /^Pay 600/).click()
    await eventually(() => said(page)).toBe('You are not signed in any more Nothing happened. Sign in again to go on.')
    await keepScreenshot(page, 'refusal-token-invalid')
    await button(dialog(page), 'Sign in again').click()
    await signIn(page, await store.shop.userToken(ada.id))
    await button(dialog(page), /^Pay 600/).click()
    await eventually(() => said(page)).toContain('Paid')
    expect(await store.shop.asUser(ada.id).points.balance()).toMatchObject({ balance: 400 })
  })

  test('when the tokens of the demonstration have expired: one press, wherever they are, and they go on', async ({
    openStore,
  }) => {
    await using store = await openStore()
    store.expectedProblems = /401/
    const product = await store.shop.givenProduct({ price: 300 })
    await store.givenCustomer({ name: 'Bob' })
    const ada = await store.givenCustomer({ name: 'Ada', points: 1_000 })
    const context = await store.context()
    // This tab follows what happens, for the other one as well, which has to look by itself.
    const other = await store.visit('/orders', { context })
    await other.getByLabel('Shopping as').selectOption('Ada')
    await eventually(() => textOf(other)).toContain('Nothing here yet')
    const page = await askToBuy(store, product, { as: 'Ada', context })
    const expire = async () => {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + HOUR_MS })
      await store.renewTokens()
    }
    await expire()
    await button(dialog(page), /^Pay 300/).click()
    await button(dialog(page), 'Sign in again').click()
    await eventually(() => page.evaluate('document.activeElement.textContent')).toMatch(/^Pay 300/)
    await button(dialog(page), /^Pay 300/).click()
    await eventually(() => said(page)).toContain('Paid')

    await expire()
    await dialog(page).getByRole('link', { name: 'See your orders' }).click()
    await eventually(() => textOf(page)).toContain('You are not signed in any more')
    await button(page, 'Sign in again').click()
    await eventually(() => textOf(page, '.orders')).toContain('Paid')

    await expire()
    await page.getByRole('link', { name: 'Points', exact: true }).click()
    await page.getByLabel('Charge points').fill('7')
    await button(page, 'Charge').click()
    await button(page.locator('form.charge'), 'Sign in again').click()
    await eventually(() => textOf(page, '.charge-result')).toContain('They are yours at once')
    await button(page, 'Charge').click()
    await eventually(() => textOf(page, '.wallet-balance')).toMatch(/^707/)
    expect(await store.shop.asUser(ada.id).points.balance()).toMatchObject({ balance: 707 })
  })
})
