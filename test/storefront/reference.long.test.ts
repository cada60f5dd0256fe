import { describe, expect } from 'vitest'
import { eventually } from '../setup/eventually.ts'
import { send } from '../setup/trpc-wire.ts'
import { button, dialog, keepScreenshot, type Store, test } from './browser-shop.ts'

/** Opens the page, and notes whom the browser asks; what its policy forbids is among the problems of the store. */
async function openReference(store: Store) {
  const context = await store.context()
  const asked = new Set<string>()
  context.on('request', (request) => {
    if (!request.url().startsWith('data:')) asked.add(new URL(request.url()).origin)
  })
  return { page: await store.visit('/reference', { context }), asked }
}

describe('the reference', () => {
  test('shows the description of the API, and asks nobody but the shop', async ({ openStore }) => {
    await using store = await openStore()
    const { page, asked } = await openReference(store)
    const { info, tags } = JSON.parse((await send(store.shop, '/openapi.json')).text)
    await page.getByRole('heading', { name: info.title, level: 1 }).waitFor()
    const sections = page.getByRole('complementary').getByRole('link')
    for (const { name } of tags) await sections.getByText(name, { exact: true }).waitFor()
    await keepScreenshot(page, 'reference')
    expect([...asked]).toEqual([store.shop.url])
  })

  test("tries a call, with a user's token", async ({ openStore }) => {
    await using store = await openStore()
    const { token } = await store.givenCustomer({ points: 4_321 })
    const { page, asked } = await openReference(store)
    await page.getByRole('textbox', { name: 'Bearer Token' }).fill(token)
    await button(page, 'Open Group - points').click()
    await page.getByRole('link', { name: /^points\.balance/ }).click()
    await button(page, 'Test Request (get /trpc/points.balance)').click()
    await button(dialog(page), /^Send get request/).click()
    const answer = dialog(page).getByRole('region', { name: 'Body', exact: true })
    await eventually(() => answer.innerText()).toContain('"balance": 4321,')
    await keepScreenshot(page, 'reference-tried')
    expect([...asked]).toEqual([store.shop.url])
  })
})
