import { describe, expect } from 'vitest'
import { eventually } from '../setup/eventually.ts'
import { send } from '../setup/trpc-wire.ts'
import { button, dialog, type Storefront, saveScreenshot, test } from './browser-shop.ts'

/** Opens the API reference and records the origins of all requests. */
async function openReference(storefront: Storefront, path = '/reference') {
  const context = await storefront.context()
  const origins = new Set<string>()
  context.on('request', (request) => {
    if (!request.url().startsWith('data:')) origins.add(new URL(request.url()).origin)
  })
  return { page: await storefront.visit(path, { context }), origins }
}

describe('The API reference', () => {
  test('shows every section of the OpenAPI document and sends requests to the shop only', async ({
    openStorefront,
  }) => {
    await using storefront = await openStorefront()
    const { page, origins } = await openReference(storefront)
    const { info, tags } = JSON.parse((await send(storefront.shop, '/openapi.json')).text)
    await page.getByRole('heading', { name: info.title, level: 1 }).waitFor()
    const sections = page.getByRole('complementary').getByRole('link')
    for (const { name } of tags) await sections.getByText(name, { exact: true }).waitFor()
    await saveScreenshot(page, 'reference')
    expect([...origins]).toEqual([storefront.shop.url])
  })

  test('shows every event of the AsyncAPI document and sends requests to the shop only', async ({ openStorefront }) => {
    await using storefront = await openStorefront()
    const { page, origins } = await openReference(storefront)
    const { info, components } = JSON.parse((await send(storefront.shop, '/asyncapi.json')).text)
    await button(page, /^API$/).click()
    await page.getByRole('option', { name: 'Events' }).click()
    await page.getByRole('heading', { name: info.title, level: 1 }).waitFor()
    const messages = Object.values(components.messages) as { title: string; name: string }[]
    expect(messages.length).toBeGreaterThan(5)
    for (const { title, name } of messages) {
      const heading = page.getByRole('heading', { name: title, level: 4, exact: true })
      // The sections that contain this section come before it.
      const section = page.locator('section').filter({ has: heading }).last()
      await section.getByRole('button').first().click()
      await section.getByText(name, { exact: true }).first().waitFor()
      await section.getByText('The key of the record is').waitFor()
    }
    await saveScreenshot(page, 'reference-events')
    expect([...origins]).toEqual([storefront.shop.url])
  })

  test("sends a test request with a user's token", async ({ openStorefront }) => {
    await using storefront = await openStorefront()
    const { token } = await storefront.givenCustomer({ points: 4_321 })
    const { page, origins } = await openReference(storefront)
    await page.getByRole('textbox', { name: 'Bearer Token' }).fill(token)
    await button(page, 'Open Group - points').click()
    await page.getByRole('link', { name: /^points\.balance/ }).click()
    await button(page, 'Test Request (get /trpc/points.balance)').click()
    await button(dialog(page), /^Send get request/).click()
    const body = dialog(page).getByRole('region', { name: 'Body', exact: true })
    await eventually(() => body.innerText()).toContain('"balance": 4321,')
    await saveScreenshot(page, 'reference-response')
    expect([...origins]).toEqual([storefront.shop.url])
  })
})
