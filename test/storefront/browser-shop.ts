import { existsSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Locator,
  type Page,
} from 'playwright-core'
import { test as base, expect, vi } from 'vitest'
import { buildStorefront } from '../../server/src/embedded/build-storefront.ts'
import type { DemoUser, StorefrontBuildState } from '../../server/src/http/web/storefront.ts'
import { openShop, type Shop, type ShopOptions } from '../setup/shop.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const CHROMIUM = '/usr/bin/chromium'
const SCREENSHOTS = join(ROOT, '.pointwise/screenshots')
const PATIENCE_MS = 30_000

// A browser beside the server that it asks, and beside other tests, is slow.
vi.setConfig({ testTimeout: 180_000 })

/** What Chromium would else ask of the world, or of a machine that has no screen. */
const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-quic']

/** The page as it is built from the present sources. */
export async function builtSite(): Promise<Exclude<StorefrontBuildState, string>> {
  let failure: unknown
  const { state, finished } = buildStorefront({
    onFailure: (error) => {
      failure = error
    },
  })
  await finished
  const built = state()
  if (typeof built === 'string') throw failure
  return built
}

/** A shop with its page, and customers between whom a visitor may switch. */
export class Store implements AsyncDisposable {
  readonly shop: Shop
  readonly #browser: Browser
  readonly #users: DemoUser[]
  readonly #contexts: BrowserContext[] = []
  /** What the browser complained of. */
  readonly problems: string[] = []
  /** What it may complain of. */
  expectedProblems = /^$/

  constructor({ shop, browser, users }: { shop: Shop; browser: Browser; users: DemoUser[] }) {
    this.shop = shop
    this.#browser = browser
    this.#users = users
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#contexts.map((context) => context.close()))
    await this.shop[Symbol.asyncDispose]()
    expect(this.problems.filter((problem) => !this.expectedProblems.test(problem))).toEqual([])
  }

  async givenCustomer(given: { name?: string; points?: number } = {}) {
    const user = await this.shop.givenUser(given)
    this.#users.push({ id: user.id, name: user.name, token: user.token })
    return user
  }

  /** From now on the customers are offered with new tokens. */
  async renewTokens(): Promise<void> {
    for (const user of this.#users) user.token = await this.shop.userToken(user.id)
  }

  /** A browser of its own, with nothing in it. */
  async context(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    const context = await this.#browser.newContext({ viewport: { width: 1280, height: 860 }, ...options })
    context.setDefaultTimeout(PATIENCE_MS)
    context.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.problems.push(message.text())
    })
    context.on('weberror', (error) => this.problems.push(error.error().message))
    this.#contexts.push(context)
    return context
  }

  async visit(path: string, { context, url = this.shop.url }: { context?: BrowserContext; url?: string } = {}) {
    const page = await (context ?? (await this.context())).newPage()
    await page.goto(url + path)
    return page
  }
}

type OpenStore = (options?: ShopOptions) => Promise<Store>

/** Tests in a browser; where there is none, they say that they were skipped. */
export const test = base.extend<{ $test: { openStore: OpenStore }; $file: { browser: Browser | undefined } }>({
  browser: [
    // biome-ignore lint/correctness/noEmptyPattern: a fixture tells by its pattern what it needs
    async ({}, use) => {
      const isThere = existsSync(CHROMIUM)
      if (!isThere) process.stdout.write(`Browser tests are skipped: there is no ${CHROMIUM}.\n`)
      const browser = isThere ? await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS }) : undefined
      await use(browser)
      await browser?.close()
    },
    { scope: 'file' },
  ],
  async openStore({ browser, skip }, use) {
    if (!browser) return skip(`there is no ${CHROMIUM}`)
    const site = await builtSite()
    await use(async (options = {}) => {
      const users: DemoUser[] = []
      const shop = await openShop({
        storefront: { build: () => site, users: async () => users },
        ...options,
        config: { storefront: true, ...options.config },
      })
      return new Store({ shop, browser, users })
    })
  },
})

/** What a visitor reads in the page, or in a part of it, on one line. */
export async function textOf(page: Page, selector = 'main'): Promise<string> {
  const texts = await page.locator(selector).allInnerTexts()
  return texts.join(' ').replace(/\s+/g, ' ').trim()
}

export const button = (within: Pick<Page, 'getByRole'>, name: string | RegExp) => within.getByRole('button', { name })

/** Presses twice before the page can show that the first was taken. */
export const pressTwice = (pressed: Locator) =>
  pressed.evaluate((element: HTMLElement) => {
    element.click()
    element.click()
  })

/** Holds such calls back, until they are let go. */
export async function hold(page: Page, call: RegExp): Promise<() => void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  await page.route(call, async (route) => {
    await promise
    await route.continue()
  })
  return resolve
}

/** The dialog that is open. */
export const dialog = (page: Page) => page.getByRole('dialog')

/** Kept for a person to look at. */
export async function keepScreenshot(page: Page, name: string, options: { fullPage?: boolean } = {}): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true })
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), animations: 'disabled', ...options })
}
