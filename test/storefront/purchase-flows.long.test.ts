import { describe, expect } from 'vitest'
import { eventually } from '../setup/eventually.ts'
import { button, clickTwice, dialog, holdRequests, saveScreenshot, test, textOf } from './browser-shop.ts'

const OUTCOME = '.outcome'

describe('A customer', () => {
  test('places orders, pays one later and cancels the other', async ({ openStorefront }) => {
    await using storefront = await openStorefront()
    const product = await storefront.shop.givenProduct({ price: 300 })
    const ada = await storefront.givenCustomer({ points: 1_000 })
    const page = await storefront.visit(`/products/${product.id}`)
    const releaseRead = await holdRequests(page, /points\.balance/)
    for (const _ of ['to pay', 'to cancel']) {
      await button(page, 'Order, pay later').click()
      await clickTwice(button(dialog(page), 'Place order'))
      await eventually(() => textOf(page, OUTCOME)).toMatch(/Order \d+ is waiting for payment./)
      await button(dialog(page), 'Continue shopping').click()
    }
    releaseRead()
    const { items } = await ada.client.orders.list.query()
    const [cancelled, paid, ...more] = items.map(({ id }) => id)
    expect(more, 'of two clicks').toEqual([])

    await page.getByRole('link', { name: 'Orders' }).click()
    await button(page, 'To pay').click()
    await button(page, `Pay order ${paid}`).click()
    const releasePay = await holdRequests(page, /payments\.pay/)
    await button(dialog(page), /^Pay 300/).click()
    await button(dialog(page), 'One moment…').waitFor()
    for (const _ of ['can be prevented', 'cannot be prevented']) await page.keyboard.press('Escape')
    releasePay()
    await eventually(() => textOf(page, OUTCOME)).toContain('Paid')
    await dialog(page).getByRole('link', { name: 'See your orders' }).click()
    await eventually(() => dialog(page).count()).toBe(0)
    await button(page, `Cancel order ${cancelled}`).click()
    const releaseList = await holdRequests(page, /orders\.list/)
    await button(dialog(page), 'Cancel order').click()
    await eventually(() => textOf(page, 'output')).toBe(`Order ${cancelled} is cancelled.`)
    await eventually(() => dialog(page).count()).toBe(0)
    releaseList()
    await eventually(() => textOf(page)).toContain('No orders here yet.')
    expect(await page.evaluate('document.activeElement.id')).toBe('main')
    await button(page, 'All').click()
    await eventually(() => textOf(page, '.status')).toBe('Cancelled Paid')
    const { paidAt } = await ada.client.orders.get.query({ orderId: Number(paid) })
    expect(await page.locator('.order time').last().getAttribute('datetime')).toBe(paidAt?.toISOString())
    expect(await ada.client.points.balance.query()).toMatchObject({ balance: 700 })
  })

  test('tops up points and sees the new balance and the history', async ({ openStorefront }) => {
    await using storefront = await openStorefront()
    await storefront.givenCustomer({ points: 1_000 })
    const page = await storefront.visit('/points')
    await button(page, '5,000').click()
    const releaseRead = await holdRequests(page, /points\.balance/)
    await clickTwice(button(page, 'Top up'))
    await eventually(() => textOf(page, '.charge-result')).toBe('Added 5,000 points. Your balance is now 6,000.')
    releaseRead()
    await eventually(() => textOf(page, '.balance')).toContain('6,000')
    await eventually(() => page.locator('tbody tr').count()).toBe(2)
    await saveScreenshot(page, 'points')
  })

  test('of the demo can switch to another user', async ({ openStorefront }) => {
    await using storefront = await openStorefront()
    await storefront.givenCustomer({ name: 'Ada', points: 100 })
    await storefront.givenCustomer({ name: 'Ben', points: 200 })
    const page = await storefront.visit('/')
    await eventually(() => textOf(page, '.balance')).toContain('100')
    await page.getByLabel('Shopping as').selectOption('Ben')
    await eventually(() => textOf(page, '.balance')).toContain('200')
    await page.reload()
    await eventually(() => textOf(page, '.balance')).toContain('200')
  })
})

describe('The page shows changes without a reload', () => {
  test('from another tab: balance, stock and order', async ({ openStorefront }) => {
    await using storefront = await openStorefront()
    const product = await storefront.shop.givenProduct({ price: 300, stock: 50 })
    await storefront.givenCustomer({ points: 1_000 })
    const context = await storefront.context()
    const streams: string[] = []
    context.on('request', (request) => streams.push(...(/(?<=\/trpc\/)\w+\.on\w+/.exec(request.url()) ?? [])))
    const orders = await storefront.visit('/orders', { context })
    const watching = await storefront.visit(`/products/${product.id}`, { context })
    const buying = await storefront.visit(`/products/${product.id}`, { context })
    await eventually(() => textOf(watching, '.offer-stock')).toContain('50 left')
    await eventually(() => textOf(orders)).toContain('No orders here yet.')

    await button(buying, /^Buy for/).click()
    await button(dialog(buying), /^Pay/).click()
    await eventually(() => textOf(watching, '.offer-stock')).toContain('49 left')
    await eventually(() => textOf(watching, '.balance')).toContain('700')
    await eventually(() => textOf(orders, '.order')).toMatch(/^Order \d+ Paid/)
    // A browser opens six connections to an HTTP/1.1 server, so one tab subscribes for all tabs of a user.
    expect(streams.toSorted()).toEqual(['orders.onChange', 'points.onChange', 'products.onStock', 'products.onStock'])

    // A received change stays visible until the data has been refetched.
    storefront.expectedProblems = /ERR_/
    const refetch = watching.waitForRequest(/products\.get/)
    const releaseRead = await holdRequests(watching, /products\.get/)
    storefront.shop.app.server.closeAllConnections()
    await refetch
    expect(await textOf(watching, '.offer-stock')).toContain('49 left')
    const refetched = watching.waitForResponse(/products\.get/)
    releaseRead()
    await refetched
    await eventually(() => textOf(watching, '.offer-stock')).toContain('49 left')
  })

  test('from other users: a changed price and a sold-out product', async ({ openStorefront }) => {
    await using storefront = await openStorefront()
    const product = await storefront.shop.givenProduct({ price: 300, stock: 50 })
    const ben = await storefront.givenCustomer({ points: 100_000 })
    const page = await storefront.visit('/')
    await eventually(() => textOf(page, '.grid .card')).toContain('50 left')
    await ben.client.orders.checkout.mutate({ items: [{ productId: product.id, quantity: 50, price: 300 }] })
    await eventually(() => textOf(page, '.grid .card')).toContain('Sold out')
    await storefront.shop.asAdmin().products.update({ productId: product.id, price: 280 })
    await eventually(() => textOf(page, '.grid .card')).toContain('280')
  })

  test('while older entries are loading, which are shown as well', async ({ openStorefront }) => {
    await using storefront = await openStorefront()
    const { client } = await storefront.givenCustomer()
    const charge = () => client.points.charge.mutate({ amount: 1 })
    for (let charged = 0; charged < 21; charged++) await charge()
    const page = await storefront.visit('/points')
    const balances = async () => (await page.locator('tbody td:last-child').allInnerTexts()).map(Number.parseFloat)
    const from = (newest: number, length: number) => Array.from({ length }, (_, index) => newest - index)
    await eventually(balances).toEqual(from(21, 10))

    const refreshed = page.waitForRequest(/points\.histories/)
    const releaseRefresh = await holdRequests(page, /points\.histories/)
    await charge()
    await refreshed
    await button(page, 'Show older transactions').click()
    releaseRefresh()
    await eventually(balances).toEqual(from(22, 20))

    const releaseOlder = await holdRequests(page, /points\.histories.*cursor/)
    const older = page.waitForRequest(/points\.histories.*cursor/)
    await button(page, 'Show older transactions').click()
    await older
    await charge()
    await eventually(() => textOf(page, '.balance')).toContain('23')
    releaseOlder()
    await eventually(balances).toEqual(from(23, 23))
  })

  test('after the subscribed tab was closed and the connection was lost', async ({ openStorefront }) => {
    await using storefront = await openStorefront()
    storefront.expectedProblems = /ERR_/
    const { client } = await storefront.givenCustomer({ points: 1_000 })
    const context = await storefront.context()
    const first = await storefront.visit('/points', { context })
    await eventually(() => textOf(first, '.balance')).toContain('1,000')
    const second = await storefront.visit('/points', { context })
    await eventually(() => textOf(second, '.balance')).toContain('1,000')
    await first.close()
    await client.points.charge.mutate({ amount: 1 })
    await eventually(() => textOf(second, '.balance')).toContain('1,001')

    await context.setOffline(true)
    storefront.shop.app.server.closeAllConnections()
    await client.points.charge.mutate({ amount: 1 })
    await context.setOffline(false)
    await eventually(() => textOf(second, '.balance')).toContain('1,002')
  })
})
