import type { BrowserContext, Page } from 'playwright-core'
import type { Product } from '../setup/shop.ts'
import { button, dialog, type Store, textOf } from './browser-shop.ts'

/** What the dialog says of how it went. */
export const said = (page: Page) => textOf(page, 'dialog .outcome')

interface Asking {
  quantity?: number
  /** Who asks, if there are several. */
  as?: string
  context?: BrowserContext
}

/** Goes as far as the question whether to buy. */
export async function askToBuy(
  store: Store,
  product: Product,
  { quantity = 1, as, ...rest }: Asking = {},
): Promise<Page> {
  const page = await store.visit(`/products/${product.id}`, rest)
  if (as) await page.getByLabel('Shopping as').selectOption(as)
  await page.getByLabel('Quantity').fill(String(quantity))
  await button(page, /^Buy for/).click()
  await dialog(page).waitFor()
  return page
}
