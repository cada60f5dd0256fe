import { describe, expect } from 'vitest'
import { eventually } from '../setup/eventually.ts'
import { button, dialog, hold, keepScreenshot, pressTwice, test, textOf } from './browser-shop.ts'
import { serveElsewhere } from './cross-origin.ts'

const said = '.outcome'

describe('a customer', () => {
  test('buys, from a page that another origin serves, signed in by a token', async ({ openStore }) => {
    await using elsewhere = await serveElsewhere()
    await using store = await openStore({ config: { storefront: false, corsOrigins: [elsewhere.origin] } })
    elsewhere.server = store.shop.url
    const product = await store.shop.givenProduct({ name: 'Blue Kettle', price: 300, stock: 5 })
    const ada = await store.shop.givenUser({ name: 'Ada', points: 1_000 })
    const page = await store.visit('/', { url: elsewhere.origin })

    await page.getByRole('link', { name: 'Blue Kettle' }).first().click()
    await page.getByRole('heading', { name: 'Blue Kettle' }).waitFor()
    await button(page, 'Sign in').first().click()
    await dialog(page).getByLabel('Token').fill('nonsense')
    store.expectedProblems = /401/
    await button(dialog(page), 'Sign in').click()
    await eventually(() => textOf(page, 'dialog [role=alert]')).toBe('You are not signed in any more.')
    await dialog(page).getByLabel('Token').fill(ada.token)
    await button(dialog(page), 'Sign in').click()

    await button(page, 'Sign out Ada').waitFor()
    await page.getByLabel('Quantity').press('End')
    for (const key of ['Backspace', '2']) await page.keyboard.press(key)
    await button(page, /^Buy for 600/).click()
    await button(dialog(page), /^Pay 600/).click()
    await eventually(() => textOf(page, said)).toMatch(/^Paid Order \d+ is yours. 400 ?pts points are left./)
    expect(await ada.client.points.balance.query()).toMatchObject({ balance: 400 })
    expect(await ada.client.products.get.query({ productId: product.id })).toMatchObject({ stock: 3, salesVolume: 2 })

    await dialog(page).getByRole('link', { name: 'See your orders' }).click()
    await eventually(() => textOf(page, '.order')).toMatch(/Order \d+ Paid .* Blue Kettle × 2 600/)
  })

  test('orders now and pays later, or cancels', async ({ openStore }) => {
    await using store = await openStore()
    const product = await store.shop.givenProduct({ price: 300 })
    const ada = await store.givenCustomer({ points: 1_000 })
    const page = await store.visit(`/products/${product.id}`)
    const letRead = await hold(page, /points\.balance/)
    for (const _ of ['to pay', 'to cancel']) {
      await button(page, 'Order, pay later').click()
      await pressTwice(button(dialog(page), 'Place the order'))
      await eventually(() => textOf(page, said)).toMatch(/Order \d+ waits to be paid./)
      await button(dialog(page), 'Go on shopping').click()
    }
    letRead()
    const { items } = await ada.client.orders.list.query()
    const [cancelled, paid, ...more] = items.map(({ id }) => id)
    expect(more, 'of two presses').toEqual([])

    await page.getByRole('link', { name: 'Orders' }).click()
    await button(page, 'To pay').click()
    await button(page, `Pay order ${paid}`).click()
    const letPay = await hold(page, /payments\.pay/)
    await button(dialog(page), /^Pay 300/).click()
    await button(dialog(page), 'One moment…').waitFor()
    for (const _ of ['prevented', 'not to be prevented']) await page.keyboard.press('Escape')
    letPay()
    await eventually(() => textOf(page, said)).toContain('Paid')
    await dialog(page).getByRole('link', { name: 'See your orders' }).click()
    await eventually(() => dialog(page).count()).toBe(0)
    await button(page, `Cancel order ${cancelled}`).click()
    const letList = await hold(page, /orders\.list/)
    await button(dialog(page), 'Cancel the order').click()
    await eventually(() => textOf(page, 'output')).toBe(`Order ${cancelled} is cancelled.`)
    await eventually(() => dialog(page).count()).toBe(0)
    letList()
    await eventually(() => textOf(page)).toContain('Nothing here yet.')
    expect(await page.evaluate('document.activeElement.id')).toBe('main')
    await button(page, 'All').click()
    await eventually(() => textOf(page, '.status')).toBe('Cancelled Paid')
    const { paidAt } = await ada.client.orders.get.query({ orderId: Number(paid) })
    expect(await page.locator('.order time').last().getAttribute('datetime')).toBe(paidAt?.toISOString())
    expect(await ada.client.points.balance.query()).toMatchObject({ balance: 700 })
  })

  test('charges points, and sees what became of them', async ({ openStore }) => {
    await using store = await openStore()
    await store.givenCustomer({ points: 1_000 })
    const page = await store.visit('/points')
    await button(page, '5,000').click()
    const letRead = await hold(page, /points\.balance/)
    await pressTwice(button(page, 'Charge'))
    await eventually(() => textOf(page, '.charge-result')).toBe('Charged 5,000 points. Your balance is now 6,000.')
    letRead()
    await eventually(() => textOf(page, '.balance')).toContain('6,000')
    await eventually(() => page.locator('tbody tr').count()).toBe(2)
    await keepScreenshot(page, 'points')
  })

  test('of the demonstration can be somebody else', async ({ openStore }) => {
    await using store = await openStore()
    await store.givenCustomer({ name: 'Ada', points: 100 })
    await store.givenCustomer({ name: 'Ben', points: 200 })
    const page = await store.visit('/')
    await eventually(() => textOf(page, '.balance')).toContain('100')
    await page.getByLabel('Shopping as').selectOption('Ben')
    await eventually(() => textOf(page, '.balance')).toContain('200')
    await page.reload()
    await eventually(() => textOf(page, '.balance')).toContain('200')
  })
})

describe('what happens elsewhere arrives by itself', () => {
  test('in another tab: balance, stock and the order', async ({ openStore }) => {
    await using store = await openStore()
    const product = await store.shop.givenProduct({ price: 300, stock: 50 })
    await store.givenCustomer({ points: 1_000 })
    const context = await store.context()
    const streams: string[] = []
    context.on('request', (request) => streams.push(...(/(?<=\/trpc\/)\w+\.on\w+/.exec(request.url()) ?? [])))
    const orders = await store.visit('/orders', { context })
    const watching = await store.visit(`/products/${product.id}`, { context })
    const buying = await store.visit(`/products/${product.id}`, { context })
    await eventually(() => textOf(watching, '.offer-stock')).toContain('50 left')
    await eventually(() => textOf(orders)).toContain('Nothing here yet.')

    await button(buying, /^Buy for/).click()
    await button(dialog(buying), /^Pay/).click()
    await eventually(() => textOf(watching, '.offer-stock')).toContain('49 left')
    await eventually(() => textOf(watching, '.balance')).toContain('700')
    await eventually(() => textOf(orders, '.order')).toMatch(/^Order \d+ Paid/)
    // A browser has six connections to a server of HTTP/1.1: one tab follows the user for all of them.
    expect(streams.toSorted()).toEqual(['orders.onChange', 'points.onChange', 'products.onStock', 'products.onStock'])

    // What was told stays until it was read anew.
    store.expectedProblems = /ERR_/
    const asked = watching.waitForRequest(/products\.get/)
    const letRead = await hold(watching, /products\.get/)
    store.shop.app.server.closeAllConnections()
    await asked
    expect(await textOf(watching, '.offer-stock')).toContain('49 left')
    const read = watching.waitForResponse(/products\.get/)
    letRead()
    await read
    await eventually(() => textOf(watching, '.offer-stock')).toContain('49 left')
  })

  test('from a server of somebody else: a price that changes, a catalogue that is sold out', async ({ openStore }) => {
    await using store = await openStore()
    const product = await store.shop.givenProduct({ price: 300, stock: 50 })
    const ben = await store.givenCustomer({ points: 100_000 })
    const page = await store.visit('/')
    await eventually(() => textOf(page, '.grid .card')).toContain('50 left')
    await ben.client.orders.checkout.mutate({ items: [{ productId: product.id, quantity: 50, price: 300 }] })
    await eventually(() => textOf(page, '.grid .card')).toContain('Sold out')
    await store.shop.asAdmin().products.update({ productId: product.id, price: 280 })
    await eventually(() => textOf(page, '.grid .card')).toContain('280')
  })

  test('while older ones are read, which come all the same', async ({ openStore }) => {
    await using store = await openStore()
    const { client } = await store.givenCustomer()
    const charge = () => client.points.charge.mutate({ amount: 1 })
    for (let charged = 0; charged < 21; charged++) await charge()
    const page = await store.visit('/points')
    const balances = async () => (await page.locator('tbody td:last-child').allInnerTexts()).map(Number.parseFloat)
    const from = (newest: number, length: number) => Array.from({ length }, (_, index) => newest - index)
    await eventually(balances).toEqual(from(21, 10))

    const refreshed = page.waitForRequest(/points\.histories/)
    const letRefresh = await hold(page, /points\.histories/)
    await charge()
    await refreshed
    await button(page, 'Show older ones').click()
    letRefresh()
    await eventually(balances).toEqual(from(22, 20))

    const letOlder = await hold(page, /points\.histories.*cursor/)
    const older = page.waitForRequest(/points\.histories.*cursor/)
    await button(page, 'Show older ones').click()
    await older
    await charge()
    await eventually(() => textOf(page, '.balance')).toContain('23')
    letOlder()
    await eventually(balances).toEqual(from(23, 23))
  })

  test('also after the tab that followed for all was closed, and the connection was lost', async ({ openStore }) => {
    await using store = await openStore()
    store.expectedProblems = /ERR_/
    const { client } = await store.givenCustomer({ points: 1_000 })
    const context = await store.context()
    const first = await store.visit('/points', { context })
    await eventually(() => textOf(first, '.balance')).toContain('1,000')
    const second = await store.visit('/points', { context })
    await eventually(() => textOf(second, '.balance')).toContain('1,000')
    await first.close()
    await client.points.charge.mutate({ amount: 1 })
    await eventually(() => textOf(second, '.balance')).toContain('1,001')

    await context.setOffline(true)
    store.shop.app.server.closeAllConnections()
    await client.points.charge.mutate({ amount: 1 })
    await context.setOffline(false)
    await eventually(() => textOf(second, '.balance')).toContain('1,002')
  })
})
