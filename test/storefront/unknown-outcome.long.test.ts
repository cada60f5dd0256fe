import type { Page } from 'playwright-core'
import { describe, expect } from 'vitest'
import { eventually } from '../setup/eventually.ts'
import { openShop, type Shop } from '../setup/shop.ts'
import { button, dialog, keepScreenshot, test, textOf } from './browser-shop.ts'
import { askToBuy, said } from './request-recorder.ts'

const CHECKOUT = '**/trpc/orders.checkout'
const CHARGE = '**/trpc/points.charge'

/** Has a call answered by another server, which refuses it for a reason of its own. */
async function sendTo(other: Shop, page: Page, call = CHECKOUT): Promise<void> {
  await page.route(call, async (route) => {
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

async function loseTheAnswer(page: Page, call = CHECKOUT): Promise<void> {
  await page.route(call, async (route) => {
    await route.fetch()
    await route.abort('connectionreset')
  })
}

describe('a customer is not left in doubt', () => {
  test('when the shop is busy: nothing happened, and it is tried again', async ({ openStore }) => {
    await using store = await openStore()
    // A server that takes no call at all, as one that has too many.
    await using busy = await openShop({ limits: { concurrentCallsMax: 0 }, fresh: 'busy' })
    store.expectedProblems = /503/
    const product = await store.shop.givenProduct({ price: 100 })
    const { client } = await store.givenCustomer({ points: 1_000 })
    const page = await askToBuy(store, product)
    await sendTo(busy, page)
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
    await sendTo(strict, page)
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
    await sendTo(strict, page)
    await button(dialog(page), 'Find out').click()
    await eventually(() => said(page)).toBe(
      'That was a lot at once We still do not know whether it went through. Asking again is safe: nothing is taken twice.',
    )
    await page.unroute(CHECKOUT)
    await button(dialog(page), 'Try again now').click()
    await eventually(() => said(page)).toMatch(/^It had gone through Order \d+ is yours. It was paid once./)
    expect((await client.orders.list.query()).items).toHaveLength(1)
  })

  test('when the answer to a charge is lost, and to find out is refused: it can find out later, and is charged once', async ({
    openStore,
  }) => {
    await using store = await openStore()
    store.expectedProblems = /ERR_|429/
    const { client } = await store.givenCustomer({ points: 1_000 })
    const page = await store.visit('/points')
    await page.getByLabel('Charge points').fill('70')
    await loseTheAnswer(page, CHARGE)
    await button(page, 'Charge').click()
    const result = () => textOf(page, '.charge-result')
    await eventually(result).toBe('The connection broke. We do not know yet whether it went through.')
    await page.unroute(CHARGE)
    await using strict = await openStrict()
    await sendTo(strict, page, CHARGE)
    await page.getByLabel('Charge points').press('Enter')
    await eventually(result).toBe(
      'That was a lot at once. We still do not know whether it went through. Asking again is safe: nothing is taken twice.',
    )
    await page.unroute(CHARGE)
    // Another amount would be another charge.
    expect(await page.getByLabel('Charge points').isEditable()).toBe(false)
    expect(await button(page, '5,000').isDisabled()).toBe(true)
    expect(await button(page, 'Charge').count()).toBe(0)
    await button(page, 'Find out').click()
    await eventually(result).toBe('Charged 70 points. Your balance is now 1,070.')
    expect((await client.points.histories.query()).items.map(({ amount }) => amount)).toEqual([70, 1_000])
  })
})
