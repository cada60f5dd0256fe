import { describe, expect } from 'vitest'
import { eventually } from '../setup/eventually.ts'
import { button, clickTwice, dialog, saveScreenshot, test, textOf } from './browser-shop.ts'
import { openPurchaseDialog, outcomeText } from './purchase-steps.ts'

describe('A customer reads what happened and is offered the next action', () => {
  test('when the price has changed, to buy at the new price: price_changed', async ({ openStorefront }) => {
    await using storefront = await openStorefront()
    storefront.expectedProblems = /409/
    const product = await storefront.shop.givenProduct({ price: 300 })
    const { client } = await storefront.givenCustomer({ points: 1_000 })
    const page = await openPurchaseDialog(storefront, product)
    await storefront.shop.asAdmin().products.update({ productId: product.id, price: 350 })
    await button(dialog(page), /^Pay/).click()
    await eventually(() => outcomeText(page)).toBe(
      'The price is now 350 points It was 300 points when you opened this page. No points were taken.',
    )
    await saveScreenshot(page, 'refusal-price-changed')
    await button(dialog(page), 'Buy for 350 points').click()
    await eventually(() => outcomeText(page)).toContain('Paid')
    expect(await client.points.balance.query()).toMatchObject({ balance: 650 })
  })

  test('when points are missing, to top up and buy: points_insufficient', async ({ openStorefront }) => {
    await using storefront = await openStorefront()
    storefront.expectedProblems = /409/
    const product = await storefront.shop.givenProduct({ price: 300 })
    const { client } = await storefront.givenCustomer({ points: 450 })
    const page = await openPurchaseDialog(storefront, product, { quantity: 2 })
    expect(await textOf(page, 'dialog .bill')).toMatch(/Points missing 150/)
    await button(dialog(page), /^Pay/).click()
    await eventually(() => outcomeText(page)).toBe(
      'You need 150 more points This costs 600 points, and your balance is 450. No points were taken.',
    )
    await saveScreenshot(page, 'refusal-points-insufficient')
    await clickTwice(button(dialog(page), 'Top up 150 points and buy'))
    await eventually(() => outcomeText(page)).toMatch(/Order \d+ is yours/)
    expect(await client.points.balance.query()).toMatchObject({ balance: 0 })
  })

  test('when the order is refused after the top-up, and reads that the points were added', async ({
    openStorefront,
  }) => {
    await using storefront = await openStorefront()
    storefront.expectedProblems = /409/
    const product = await storefront.shop.givenProduct({ price: 300 })
    const { client } = await storefront.givenCustomer({ points: 100 })
    const page = await openPurchaseDialog(storefront, product)
    await button(dialog(page), /^Pay/).click()
    await eventually(() => outcomeText(page)).toContain('You need 200 more points')
    await storefront.shop.asAdmin().products.update({ productId: product.id, price: 350 })
    await button(dialog(page), 'Top up 200 points and buy').click()
    await eventually(() => outcomeText(page)).toBe(
      'The price is now 350 points We added 200 points to your balance. Nothing was bought.',
    )
    expect(await client.points.balance.query()).toMatchObject({ balance: 300 })
  })

  test('when the stock is too small, to buy the remaining pieces: stock_insufficient', async ({ openStorefront }) => {
    await using storefront = await openStorefront()
    storefront.expectedProblems = /409/
    const product = await storefront.shop.givenProduct({ price: 100, stock: 5 })
    await storefront.givenCustomer({ points: 1_000 })
    const page = await openPurchaseDialog(storefront, product, { quantity: 4 })
    await storefront.shop.asAdmin().products.restock({ productId: product.id, quantity: -2 })
    await button(dialog(page), /^Pay/).click()
    await eventually(() => outcomeText(page)).toBe('Only 3 left You asked for 4 pieces. No points were taken.')
    await button(dialog(page), 'Buy 3 pieces instead').click()
    await eventually(() => outcomeText(page)).toContain('Paid')
  })

  test('when the product is sold out, was removed or never existed: product_not_found', async ({ openStorefront }) => {
    await using storefront = await openStorefront()
    storefront.expectedProblems = /40[049]/
    const product = await storefront.shop.givenProduct({ price: 100, stock: 1 })
    await storefront.givenCustomer({ points: 1_000 })
    const page = await openPurchaseDialog(storefront, product)
    await storefront.shop.asAdmin().products.restock({ productId: product.id, quantity: -1 })
    await button(dialog(page), /^Pay/).click()
    await eventually(() => outcomeText(page)).toBe(
      'Sold out The last piece was sold a moment ago. No points were taken.',
    )
    await button(dialog(page), 'Close').last().click()
    await eventually(() => button(page, /^Buy for/).isDisabled()).toBe(true)

    await storefront.shop.asAdmin().products.restock({ productId: product.id, quantity: 1 })
    const other = await openPurchaseDialog(storefront, product)
    await storefront.shop.asAdmin().products.remove({ productId: product.id })
    await button(dialog(other), /^Pay/).click()
    await eventually(() => outcomeText(other)).toBe(
      'No longer sold This product is not in the shop any more. No points were taken.',
    )

    await other.goto(`${storefront.shop.url}/products/0`)
    await eventually(() => textOf(other)).toContain('The shop could not process this request')
  })

  test('when the balance would exceed its limit: points_limit_exceeded', async ({ openStorefront }) => {
    await using storefront = await openStorefront()
    storefront.expectedProblems = /409/
    await storefront.givenCustomer({ points: 999_000 })
    const page = await storefront.visit('/points')
    await page.getByLabel('Top up points').fill('5000')
    await button(page, 'Top up').click()
    await eventually(() => textOf(page, '.charge-result')).toBe(
      'Your balance can hold at most 1,000,000 points. You have 999,000, so you can add up to 1,000 points. No points were added.',
    )
  })

  test('when the order was cancelled meanwhile: order_not_payable', async ({ openStorefront }) => {
    await using storefront = await openStorefront()
    storefront.expectedProblems = /409/
    const product = await storefront.shop.givenProduct({ price: 100 })
    const { client } = await storefront.givenCustomer({ points: 1_000 })
    const { id } = await client.orders.place.mutate({ items: [{ productId: product.id, quantity: 1, price: 100 }] })
    const page = await storefront.visit('/orders')
    await button(page, `Pay order ${id}`).click()
    await client.orders.cancel.mutate({ orderId: id })
    await button(dialog(page), /^Pay 100/).click()
    await eventually(() => outcomeText(page)).toBe(
      'This order is cancelled It can no longer be paid. No points were taken.',
    )
  })
})
