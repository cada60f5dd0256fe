import { describe, expect } from 'vitest'
import { eventually } from '../setup/eventually.ts'
import { button, dialog, test, textOf } from './browser-shop.ts'
import { serveFromOtherOrigin } from './cross-origin.ts'

const OUTCOME = '.outcome'

describe('A customer', () => {
  test('signs in with a token and buys, on a page that another origin serves', async ({ openStorefront }) => {
    await using otherOrigin = await serveFromOtherOrigin()
    await using storefront = await openStorefront({ config: { storefront: false, corsOrigins: [otherOrigin.origin] } })
    otherOrigin.server = storefront.shop.url
    const product = await storefront.shop.givenProduct({ name: 'Blue Kettle', price: 300, stock: 5 })
    const ada = await storefront.shop.givenUser({ name: 'Ada', points: 1_000 })
    const page = await storefront.visit('/', { url: otherOrigin.origin })

    await page.getByRole('link', { name: 'Blue Kettle' }).first().click()
    await page.getByRole('heading', { name: 'Blue Kettle' }).waitFor()
    await button(page, 'Sign in').first().click()
    await dialog(page).getByLabel('Token').fill('invalid')
    storefront.expectedProblems = /401/
    await button(dialog(page), 'Sign in').click()
    await eventually(() => textOf(page, 'dialog [role=alert]')).toBe('You are no longer signed in.')
    await dialog(page).getByLabel('Token').fill(ada.token)
    await button(dialog(page), 'Sign in').click()

    await button(page, 'Sign out Ada').waitFor()
    await page.getByLabel('Quantity').press('End')
    for (const key of ['Backspace', '2']) await page.keyboard.press(key)
    await button(page, /^Buy for 600/).click()
    await button(dialog(page), /^Pay 600/).click()
    await eventually(() => textOf(page, OUTCOME)).toMatch(
      /^Paid Order \d+ is yours. Your balance is now 400 ?pts points./,
    )
    expect(await ada.client.points.balance.query()).toMatchObject({ balance: 400 })
    expect(await ada.client.products.get.query({ productId: product.id })).toMatchObject({ stock: 3, salesVolume: 2 })

    await dialog(page).getByRole('link', { name: 'See your orders' }).click()
    await eventually(() => textOf(page, '.order')).toMatch(/Order \d+ Paid .* Blue Kettle × 2 600/)
  })
})
