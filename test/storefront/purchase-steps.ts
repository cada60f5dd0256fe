import type { BrowserContext, Page } from 'playwright-core'
import type { Product } from '../setup/shop.ts'
import { button, dialog, type Storefront, textOf } from './browser-shop.ts'

/** The outcome that the dialog shows. */
export const outcomeText = (page: Page) => textOf(page, 'dialog .outcome')

interface PurchaseOptions {
  quantity?: number
  /** The name of the demo user; by default the first. */
  as?: string
  context?: BrowserContext
}

/** Visits a product and opens the dialog to buy it. */
export async function openPurchaseDialog(
  storefront: Storefront,
  product: Product,
  { quantity = 1, as, ...rest }: PurchaseOptions = {},
): Promise<Page> {
  const page = await storefront.visit(`/products/${product.id}`, rest)
  if (as) await page.getByLabel('Shopping as').selectOption(as)
  await page.getByLabel('Quantity').fill(String(quantity))
  await button(page, /^Buy for/).click()
  await dialog(page).waitFor()
  return page
}
