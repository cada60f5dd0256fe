import type { BrowserContext, Page } from 'playwright-core'
import { afterEach, describe, expect, vi } from 'vitest'
import { openShop, type Product, type Shop } from '../setup/shop.ts'
import { button, dialog, eventually, keepScreenshot, type Store, test, textOf } from './store.ts'

const HOUR_MS = 3_600_000
const CHECKOUT = '**/trpc/orders.checkout'

const said = (page: Page) => textOf(page, 'dialog .outcome')

interface Asking {
  quantity?: number
  /** Who asks, if there are several. */
  as?: string
  context?: BrowserContext
}

/** Goes as far as the question whether to buy. */
async function askToBuy(store: Store, product: Product, { quantity = 1, as, ...rest }: Asking = {}): Promise<Page> {
  const page = await store.visit(`/products/${product.id}`, rest)
  if (as) await page.getByLabel('Shopping as').selectOption(as)
  await page.getByLabel('Quantity').fill(String(quantity))
  await button(page, /^Buy for/).click()
  await dialog(page).waitFor()
  return page
}

/** Has the checkout answered by another server, which refuses it for a reason of its own. */
async function checkOutAt(other: Shop, page: Page): Promise<void> {
  await page.route(CHECKOUT, async (route) => {
    const { pathname } = new URL(route.request().url())
    await route.fulfill({ response: await route.fetch({ url: other.url + pathname }) })
  })
}

/** A server at which nobody here may call, for a minute. */
async function openStrict(): Promise<Shop> {
  const strict = await openShop({ config: { rateLimit: 1 }, fresh: 'strict' })
  await strict.client().stores.list.query()
  return strict
}

async function loseTheAnswer(page: Page): Promise<void> {
  await page.route(CHECKOUT, async (route) => {
    await route.fetch()
    await route.abort('connectionreset')
  })
}

async function signIn(page: Page, token: string): Promise<void> {
  await dialog(page).getByLabel('Token').fill(token)
  await button(dialog(page), 'Sign in').click()
}

afterEach(() => void vi.useRealTimers())

describe('a customer is told, in words, and offered a way on,', () => {
  test('when the price has changed: the new one, at which it can be bought', async ({ openStore }) => {
    await using store = await openStore()
    store.expectedProblems = /409/
    const product = await store.shop.givenProduct({ price: 300 })
    const { client } = await store.givenCustomer({ points: 1_000 })
    const page = await askToBuy(store, product)
    await store.shop.asAdmin().products.update({ productId: product.id, price: 350 })
    await button(dialog(page), /^Pay/).click()
    await eventually(() => said(page)).toBe(
      'The price is now 350 points It was 300 points when you looked. Nothing was bought.',
    )
    await keepScreenshot(page, 'refusal-price-changed')
    await button(dialog(page), 'Buy for 350 points').click()
    await eventually(() => said(page)).toContain('Paid')
    expect(await client.points.balance.query()).toMatchObject({ balance: 650 })
  })

  test('when points are short: how many, which can be charged at once', async ({ openStore }) => {
    await using store = await openStore()
    store.expectedProblems = /409/
    const product = await store.shop.givenProduct({ price: 300 })
    const { client } = await store.givenCustomer({ points: 450 })
    const page = await askToBuy(store, product, { quantity: 2 })
    expect(await textOf(page, 'dialog .bill')).toMatch(/Missing 150/)
    await button(dialog(page), /^Pay/).click()
    await eventually(() => said(page)).toBe(
      'You are 150 points short This costs 600 points, and you have 450. Nothing was taken.',
    )
    await keepScreenshot(page, 'refusal-points-insufficient')
    await button(dialog(page), 'Charge 150 points and buy').click()
    await eventually(() => said(page)).toContain('Paid')
    expect(await client.points.balance.query()).toMatchObject({ balance: 0 })
  })

  test('when points were charged for it, and it is refused all the same: that they are there', async ({
    openStore,
  }) => {
    await using store = await openStore()
    store.expectedProblems = /409/
    const product = await store.shop.givenProduct({ price: 300 })
    const { client } = await store.givenCustomer({ points: 100 })
    const page = await askToBuy(store, product)
    await button(dialog(page), /^Pay/).click()
    await eventually(() => said(page)).toContain('You are 200 points short')
    await store.shop.asAdmin().products.update({ productId: product.id, price: 350 })
    await button(dialog(page), 'Charge 200 points and buy').click()
    await eventually(() => said(page)).toBe(
      'The price is now 350 points Your balance grew by 200 points. Nothing was bought.',
    )
    expect(await client.points.balance.query()).toMatchObject({ balance: 300 })
  })

  test('when stock is short: what is left, which can be bought instead', async ({ openStore }) => {
    await using store = await openStore()
    store.expectedProblems = /409/
    const product = await store.shop.givenProduct({ price: 100, stock: 5 })
    await store.givenCustomer({ points: 1_000 })
    const page = await askToBuy(store, product, { quantity: 4 })
    await store.shop.asAdmin().products.restock({ productId: product.id, quantity: -2 })
    await button(dialog(page), /^Pay/).click()
    await eventually(() => said(page)).toBe('Only 3 left You asked for 4 pieces. Nothing was bought.')
    await button(dialog(page), 'Buy 3 pieces instead').click()
    await eventually(() => said(page)).toContain('Paid')
  })

  test('when nothing is left, or the product has gone', async ({ openStore }) => {
    await using store = await openStore()
    store.expectedProblems = /40[49]/
    const product = await store.shop.givenProduct({ price: 100, stock: 1 })
    await store.givenCustomer({ points: 1_000 })
    const page = await askToBuy(store, product)
    await store.shop.asAdmin().products.restock({ productId: product.id, quantity: -1 })
    await button(dialog(page), /^Pay/).click()
    await eventually(() => said(page)).toBe('Sold out The last one went while you were looking. Nothing was taken.')
    await button(dialog(page), 'Close').last().click()
    await eventually(() => button(page, /^Buy for/).isDisabled()).toBe(true)

    await store.shop.asAdmin().products.restock({ productId: product.id, quantity: 1 })
    const other = await askToBuy(store, product)
    await store.shop.asAdmin().products.remove({ productId: product.id })
    await button(dialog(other), /^Pay/).click()
    await eventually(() => said(other)).toBe('No longer sold This product has left the shop. Nothing was bought.')
  })

  test('when a balance would pass its limit', async ({ openStore }) => {
    await using store = await openStore()
    store.expectedProblems = /409/
    await store.givenCustomer({ points: 999_000 })
    const page = await store.visit('/points')
    await page.getByLabel('Charge points').fill('5000')
    await button(page, 'Charge').click()
    await eventually(() => textOf(page, '.charge-result')).toBe(
      'A balance holds 1,000,000 points at most. You have 999,000, so up to 1,000 points more fit in. Nothing was charged.',
    )
  })

  test('when an order was cancelled meanwhile', async ({ openStore }) => {
    await using store = await openStore()
    store.expectedProblems = /409/
    const product = await store.shop.givenProduct({ price: 100 })
    const { client } = await store.givenCustomer({ points: 1_000 })
    const { id } = await client.orders.place.mutate({ items: [{ productId: product.id, quantity: 1, price: 100 }] })
    const page = await store.visit('/orders')
    await button(page, `Pay order ${id}`).click()
    await client.orders.cancel.mutate({ orderId: id })
    await button(dialog(page), /^Pay 100/).click()
    await eventually(() => said(page)).toBe('The order is cancelled It cannot be paid any more. Nothing was taken.')
  })
})

describe('a customer is not left in doubt', () => {
  test('when the shop is busy: nothing happened, and it is tried again', async ({ openStore }) => {
    await using store = await openStore()
    // A server that takes no call at all, as one that has too many.
    await using busy = await openShop({ limits: { callsMax: 0 }, fresh: 'busy' })
    store.expectedProblems = /503/
    const product = await store.shop.givenProduct({ price: 100 })
    const { client } = await store.givenCustomer({ points: 1_000 })
    const page = await askToBuy(store, product)
    await checkOutAt(busy, page)
    await button(dialog(page), /^Pay/).click()
    await eventually(() => said(page)).toBe(
      'The shop is very busy Nothing happened: no points were taken, nothing was ordered.',
    )
    expect(await client.points.balance.query()).toMatchObject({ balance: 1_000 })
    await page.unroute(CHECKOUT)
    await eventually(() => said(page)).toContain('Paid')
    expect((await client.orders.list.query()).items).toHaveLength(1)
  })

  test('when these were too many calls: nothing happened, and it is tried again once it may be', async ({
    openStore,
  }) => {
    await using store = await openStore()
    store.expectedProblems = /429/
    const product = await store.shop.givenProduct({ price: 100 })
    const { client } = await store.givenCustomer({ points: 1_000 })
    const context = await store.context()
    await context.clock.install()
    const page = await askToBuy(store, product, { context })
    await using strict = await openStrict()
    await checkOutAt(strict, page)
    await button(dialog(page), /^Pay/).click()
    await eventually(() => said(page)).toBe('That was a lot at once Nothing happened. Please wait a moment.')
    await eventually(() => textOf(page, 'dialog .hint')).toMatch(/^Trying again in [1-6]\d s…$/)
    await keepScreenshot(page, 'refusal-rate-limited')
    expect(await client.points.balance.query()).toMatchObject({ balance: 1_000 })
    await page.unroute(CHECKOUT)
    await page.clock.fastForward('01:00')
    await eventually(() => said(page)).toContain('Paid')
    expect((await client.orders.list.query()).items).toHaveLength(1)
  })

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
    await button(page, 'Sign in again').last().click()
    await eventually(() => textOf(page, '.wallet-balance')).toMatch(/^700/)
    await button(page, 'Charge').click()
    await eventually(() => textOf(page, '.wallet-balance')).toMatch(/^707/)
    expect(await store.shop.asUser(ada.id).points.balance()).toMatchObject({ balance: 707 })
  })

  test('when the answer is lost: it can find out, and pays once', async ({ openStore }) => {
    await using store = await openStore()
    store.expectedProblems = /ERR_/
    const product = await store.shop.givenProduct({ price: 100 })
    const { client } = await store.givenCustomer({ points: 1_000 })
    const page = await askToBuy(store, product)
    await loseTheAnswer(page)
    await button(dialog(page), /^Pay/).click()
    await eventually(() => said(page)).toContain('We do not know yet whether it went through')
    await keepScreenshot(page, 'outcome-unknown')
    await page.unroute(CHECKOUT)
    await button(dialog(page), 'Find out').click()
    await eventually(() => said(page)).toMatch(/^It had gone through Order \d+ is yours. It was paid once./)
    expect((await client.orders.list.query()).items).toHaveLength(1)
    expect(await client.points.balance.query()).toMatchObject({ balance: 900 })
  })

  test('when the answer is lost, and to find out is refused: it is not told that nothing happened', async ({
    openStore,
  }) => {
    await using store = await openStore()
    store.expectedProblems = /ERR_|429/
    const product = await store.shop.givenProduct({ price: 100 })
    const { client } = await store.givenCustomer({ points: 1_000 })
    const page = await askToBuy(store, product)
    await loseTheAnswer(page)
    await button(dialog(page), /^Pay/).click()
    await eventually(() => said(page)).toContain('We do not know yet whether it went through')
    await page.unroute(CHECKOUT)
    await using strict = await openStrict()
    await checkOutAt(strict, page)
    await button(dialog(page), 'Find out').click()
    await eventually(() => said(page)).toBe(
      'That was a lot at once We still do not know whether it went through. Asking again is safe: nothing is taken twice.',
    )
    await page.unroute(CHECKOUT)
    await button(dialog(page), 'Try again now').click()
    await eventually(() => said(page)).toMatch(/^It had gone through Order \d+ is yours. It was paid once./)
    expect((await client.orders.list.query()).items).toHaveLength(1)
  })
})
