import { describe, expect } from 'vitest'
import { eventually } from '../setup/eventually.ts'
import { button, dialog, keepScreenshot, pressTwice, test, textOf } from './browser-shop.ts'
import { askToBuy, said } from './request-recorder.ts'

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
    await pressTwice(button(dialog(page), 'Charge 150 points and buy'))
    await eventually(() => said(page)).toMatch(/Order \d+ is yours/)
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

  test('when nothing is left, or the product has gone, or never was', async ({ openStore }) => {
    await using store = await openStore()
    store.expectedProblems = /40[049]/
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

    await other.goto(`${store.shop.url}/products/0`)
    await eventually(() => textOf(other)).toContain('The shop cannot make sense of that')
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
