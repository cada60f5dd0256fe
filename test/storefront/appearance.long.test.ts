import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { describe, expect } from 'vitest'
import { eventually } from '../setup/eventually.ts'
import { button, dialog, keepScreenshot, type Store, test, textOf } from './browser-shop.ts'

const PHONE = { width: 360, height: 740 }
/** What the eye takes for standing still. */
const SHIFT_MAX = 0.02

async function givenCatalogue(store: Store, { count = 25 } = {}): Promise<void> {
  const ada = await store.givenCustomer({ name: 'Ada', points: 500_000 })
  const { id: storeId } = await store.shop.givenStore('Kitchen & Co')
  await store.shop.givenStore('Out There')
  for (let index = 1; index <= count; index++) {
    await store.shop.givenProduct({
      storeId,
      name: `Folding Lamp ${index}`,
      price: 100 * index,
      stock: (index * 7) % 40,
    })
  }
  const { items } = await ada.client.products.list.query()
  for (const { id, price } of items.filter(({ stock }) => stock > 5).slice(0, 8)) {
    await ada.client.orders.checkout.mutate({ items: [{ productId: id, quantity: 2, price }] })
  }
  const [last] = items.filter(({ stock }) => stock > 0)
  if (last) await ada.client.orders.place.mutate({ items: [{ productId: last.id, quantity: 1, price: last.price }] })
}

const PAGES = [
  { name: 'shop', path: '/', link: 'Shop', shown: '.ranked a' },
  { name: 'orders', path: '/orders', link: 'Orders', shown: '.order time' },
  { name: 'points', path: '/points', link: 'Points', shown: 'tbody td' },
]

async function goTo(page: Page, { link, shown }: (typeof PAGES)[number]): Promise<void> {
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: link }).click()
  await page.locator(shown).first().waitFor()
}

const colour = (page: Page, property: string) =>
  page.evaluate((name) => getComputedStyle(document.documentElement).getPropertyValue(name), property)

/** What axe finds serious, or worse, of the levels that laws ask for. */
async function seriousFindings(page: Page, options: axe.RunOptions = {}): Promise<string[]> {
  const run = JSON.stringify({ resultTypes: ['violations'], ...options })
  const violations: axe.Result[] = await page.evaluate(`axe.run(${run}).then(({ violations }) => violations)`)
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`)
}

/** In the light and in the dark, between which only colours differ. */
async function expectSound(page: Page, name: string): Promise<void> {
  await page.emulateMedia({ colorScheme: 'light' })
  expect(await seriousFindings(page), name).toEqual([])
  await keepScreenshot(page, `${name}-light`)
  await page.emulateMedia({ colorScheme: 'dark' })
  expect(await seriousFindings(page, { runOnly: ['color-contrast'] }), `${name}, dark`).toEqual([])
  await keepScreenshot(page, `${name}-dark`)
}

describe('the page', () => {
  test('is sound for assistive technology, from page to dialog, light and dark', async ({ openStore }) => {
    await using store = await openStore()
    await givenCatalogue(store)
    const page = await store.visit('/', { context: await store.context({ reducedMotion: 'reduce' }) })
    await page.evaluate(axe.source)
    for (const stop of PAGES) {
      await goTo(page, stop)
      await expectSound(page, stop.name)
    }
    await page.getByRole('link', { name: 'Shop' }).click()
    await page.locator('.grid a').last().click()
    await button(page, /^Buy for/).waitFor()
    await expectSound(page, 'product')
    await button(page, /^Buy for/).click()
    await dialog(page).waitFor()
    await expectSound(page, 'dialog')
    await button(dialog(page), /^Pay/).click()
    await eventually(() => textOf(page, '.outcome')).toContain('Paid')
    await expectSound(page, 'bought')
  })

  test('is dark where the system is, and as the visitor chose for ever after', async ({ openStore }) => {
    await using store = await openStore()
    const context = await store.context({ colorScheme: 'dark' })
    const page = await store.visit('/', { context })
    const dark = await colour(page, 'background-color')
    await button(page, 'Use the light theme').click()
    await eventually(() => colour(page, 'background-color')).not.toBe(dark)
    await page.reload()
    await button(page, 'Use the dark theme').waitFor()
    expect(await colour(page, 'color-scheme')).toBe('light')
  })

  test('fits a phone', async ({ openStore }) => {
    await using store = await openStore()
    await givenCatalogue(store)
    const context = await store.context({ viewport: PHONE, hasTouch: true, isMobile: true })
    const page = await store.visit('/', { context })
    const expectFits = async (name: string) => {
      const width = await page.evaluate(() => document.documentElement.scrollWidth)
      expect(width, name).toBeLessThanOrEqual(PHONE.width)
      await keepScreenshot(page, `${name}-phone`)
    }
    for (const stop of PAGES) {
      await goTo(page, stop)
      await expectFits(stop.name)
    }
    await page.getByRole('link', { name: 'Shop' }).tap()
    await page.locator('.grid a').last().tap()
    await button(page, /^Buy for/).waitFor()
    await expectFits('product')
    await button(page, /^Buy for/).tap()
    await dialog(page).waitFor()
    await expectFits('dialog')
  })

  test('stands still while what it shows comes in', async ({ openStore }) => {
    await using store = await openStore()
    await givenCatalogue(store)
    for (const { name, path, shown } of PAGES) {
      const context = await store.context()
      await context.addInitScript(() => {
        Object.assign(window, { shifted: 0 })
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries())
            Object.assign(window, { shifted: Reflect.get(window, 'shifted') + Reflect.get(entry, 'value') })
        }).observe({ type: 'layout-shift', buffered: true })
      })
      const held = Promise.withResolvers<void>()
      await context.route(/\/(trpc|storefront)\//, async (route) => {
        await held.promise
        await route.continue()
      })
      const page = await store.visit(path, { context })
      await page.locator('.bone').first().waitFor()
      await keepScreenshot(page, `${name}-loading`)
      held.resolve()
      await page.locator(shown).first().waitFor()
      await eventually(() => page.locator('main .bone').count()).toBe(0)
      expect(await page.evaluate('window.shifted'), name).toBeLessThan(SHIFT_MAX)
    }
  })

  test('is used with the keyboard alone', async ({ openStore }) => {
    await using store = await openStore()
    const product = await store.shop.givenProduct({ name: 'Blue Kettle', price: 300 })
    const { client } = await store.givenCustomer({ points: 1_000 })
    const page = await store.visit('/')
    await page.locator('.grid a').waitFor()
    const focused = () => page.evaluate(() => document.activeElement?.textContent?.trim() ?? '')
    const tabTo = async (text: RegExp) => {
      for (let presses = 0; presses < 40 && !text.test(await focused()); presses++) await page.keyboard.press('Tab')
      expect(await focused()).toMatch(text)
    }

    await page.keyboard.press('Tab')
    expect(await focused()).toBe('Skip to the content')
    await page.keyboard.press('Enter')
    await tabTo(/^Blue Kettle$/)
    await page.keyboard.press('Enter')
    await button(page, /^Buy for/).waitFor()
    expect(await focused()).toBe('Blue Kettle')
    expect(await page.title()).toBe('Blue Kettle · Pointwise')

    await tabTo(/^Buy for/)
    await page.keyboard.press('Enter')
    await dialog(page).waitFor()
    await page.keyboard.press('Escape')
    await eventually(() => dialog(page).count()).toBe(0)
    expect(await focused()).toMatch(/^Buy for/)

    await page.keyboard.press('Enter')
    await tabTo(/^Pay 300/)
    await page.keyboard.press('Enter')
    await eventually(focused).toBe('Go on shopping')
    expect(await page.getByRole('dialog').getByRole('status').innerText()).toContain('Paid')
    await page.keyboard.press('Enter')
    await eventually(focused).toMatch(/^Buy for/)
    expect(await client.products.get.query({ productId: product.id })).toMatchObject({ salesVolume: 1 })
  })
})
