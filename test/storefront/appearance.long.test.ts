import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { describe, expect } from 'vitest'
import { eventually } from '../setup/eventually.ts'
import { button, dialog, type Storefront, saveScreenshot, test, textOf } from './browser-shop.ts'

const PHONE = { width: 360, height: 740 }
/** The layout shift that users do not notice. */
const SHIFT_MAX = 0.02

async function givenCatalogue(storefront: Storefront, { count = 25 } = {}): Promise<void> {
  const ada = await storefront.givenCustomer({ name: 'Ada', points: 500_000 })
  const { id: storeId } = await storefront.shop.givenStore('Kitchen & Co')
  await storefront.shop.givenStore('Out There')
  for (let index = 1; index <= count; index++) {
    await storefront.shop.givenProduct({
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

/** The accessibility violations that axe rates serious or critical. */
async function seriousFindings(page: Page, options: axe.RunOptions = {}): Promise<string[]> {
  const run = JSON.stringify({ resultTypes: ['violations'], ...options })
  const violations: axe.Result[] = await page.evaluate(`axe.run(${run}).then(({ violations }) => violations)`)
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`)
}

/** Checks both themes. Only the colours differ, so the dark theme is checked for contrast alone. */
async function expectAccessible(page: Page, name: string): Promise<void> {
  await page.emulateMedia({ colorScheme: 'light' })
  expect(await seriousFindings(page), name).toEqual([])
  await saveScreenshot(page, `${name}-light`)
  await page.emulateMedia({ colorScheme: 'dark' })
  expect(await seriousFindings(page, { runOnly: ['color-contrast'] }), `${name}, dark`).toEqual([])
  await saveScreenshot(page, `${name}-dark`)
}

describe('The storefront', () => {
  test('has no serious accessibility violations on its pages and dialogs, in both themes', async ({
    openStorefront,
  }) => {
    await using storefront = await openStorefront()
    await givenCatalogue(storefront)
    const page = await storefront.visit('/', { context: await storefront.context({ reducedMotion: 'reduce' }) })
    await page.evaluate(axe.source)
    for (const each of PAGES) {
      await goTo(page, each)
      await expectAccessible(page, each.name)
    }
    await page.getByRole('link', { name: 'Shop' }).click()
    await page.locator('.grid a').last().click()
    await button(page, /^Buy for/).waitFor()
    await expectAccessible(page, 'product')
    await button(page, /^Buy for/).click()
    await dialog(page).waitFor()
    await expectAccessible(page, 'dialog')
    await button(dialog(page), /^Pay/).click()
    await eventually(() => textOf(page, '.outcome')).toContain('Paid')
    await expectAccessible(page, 'bought')
  })

  test('uses the theme of the system until the visitor chooses another, which is stored', async ({
    openStorefront,
  }) => {
    await using storefront = await openStorefront()
    const context = await storefront.context({ colorScheme: 'dark' })
    const page = await storefront.visit('/', { context })
    const dark = await colour(page, 'background-color')
    await button(page, 'Use the light theme').click()
    await eventually(() => colour(page, 'background-color')).not.toBe(dark)
    await page.reload()
    await button(page, 'Use the dark theme').waitFor()
    expect(await colour(page, 'color-scheme')).toBe('light')
  })

  test('fits the width of a phone', async ({ openStorefront }) => {
    await using storefront = await openStorefront()
    await givenCatalogue(storefront)
    const context = await storefront.context({ viewport: PHONE, hasTouch: true, isMobile: true })
    const page = await storefront.visit('/', { context })
    const expectFits = async (name: string) => {
      const width = await page.evaluate(() => document.documentElement.scrollWidth)
      expect(width, name).toBeLessThanOrEqual(PHONE.width)
      await saveScreenshot(page, `${name}-phone`)
    }
    for (const each of PAGES) {
      await goTo(page, each)
      await expectFits(each.name)
    }
    await page.getByRole('link', { name: 'Shop' }).tap()
    await page.locator('.grid a').last().tap()
    await button(page, /^Buy for/).waitFor()
    await expectFits('product')
    await button(page, /^Buy for/).tap()
    await dialog(page).waitFor()
    await expectFits('dialog')
  })

  test('does not shift its layout while data is loading', async ({ openStorefront }) => {
    await using storefront = await openStorefront()
    await givenCatalogue(storefront)
    for (const { name, path, shown } of PAGES) {
      const context = await storefront.context()
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
      const page = await storefront.visit(path, { context })
      await page.locator('.skeleton').first().waitFor()
      await saveScreenshot(page, `${name}-loading`)
      held.resolve()
      await page.locator(shown).first().waitFor()
      await eventually(() => page.locator('main .skeleton').count()).toBe(0)
      expect(await page.evaluate('window.shifted'), name).toBeLessThan(SHIFT_MAX)
    }
  })

  test('can be used with the keyboard only', async ({ openStorefront }) => {
    await using storefront = await openStorefront()
    const product = await storefront.shop.givenProduct({ name: 'Blue Kettle', price: 300 })
    const { client } = await storefront.givenCustomer({ points: 1_000 })
    const page = await storefront.visit('/')
    await page.locator('.grid a').waitFor()
    const focused = () => page.evaluate(() => document.activeElement?.textContent?.trim() ?? '')
    const tabTo = async (text: RegExp) => {
      for (let presses = 0; presses < 40 && !text.test(await focused()); presses++) await page.keyboard.press('Tab')
      expect(await focused()).toMatch(text)
    }

    await page.keyboard.press('Tab')
    expect(await focused()).toBe('Skip to content')
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
    await eventually(focused).toBe('Continue shopping')
    expect(await page.getByRole('dialog').getByRole('status').innerText()).toContain('Paid')
    await page.keyboard.press('Enter')
    await eventually(focused).toMatch(/^Buy for/)
    expect(await client.products.get.query({ productId: product.id })).toMatchObject({ salesVolume: 1 })
  })
})
