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
const ACTION_TIMEOUT_MS = 30_000

// The browser, the server and other tests share the machine, so a test can take minutes.
vi.setConfig({ testTimeout: 180_000 })

/** Switches off what Chromium cannot use here: the sandbox as root, the GPU, and QUIC. */
const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-quic']

/** Builds the storefront from the current sources, unless that build exists. */
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

/** A shop with its storefront in a browser, and the customers that the storefront offers as demo users. */
export class Storefront implements AsyncDisposable {
  readonly shop: Shop
  readonly #browser: Browser
  readonly #users: DemoUser[]
  readonly #contexts: BrowserContext[] = []
  /** The errors and warnings of the browser's console. */
  readonly problems: string[] = []
  /** The errors and warnings that the test expects. */
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

  /** From now on, the storefront offers the customers with new tokens. */
  async renewTokens(): Promise<void> {
    for (const user of this.#users) user.token = await this.shop.userToken(user.id)
  }

  /** A browser context without cookies and storage. */
  async context(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    const context = await this.#browser.newContext({ viewport: { width: 1280, height: 860 }, ...options })
    context.setDefaultTimeout(ACTION_TIMEOUT_MS)
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

type OpenStorefront = (options?: ShopOptions) => Promise<Storefront>

/** A test in a browser. It is skipped if there is no browser. */
export const test = base.extend<{ $test: { openStorefront: OpenStorefront }; $file: { browser: Browser | undefined } }>(
  {
    browser: [
      // biome-ignore lint/correctness/noEmptyPattern: Vitest reads the dependencies of a fixture from its pattern
      async ({}, use) => {
        const isInstalled = existsSync(CHROMIUM)
        if (!isInstalled) process.stdout.write(`The browser tests are skipped, because ${CHROMIUM} does not exist.\n`)
        const browser = isInstalled ? await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS }) : undefined
        await use(browser)
        await browser?.close()
      },
      { scope: 'file' },
    ],
    async openStorefront({ browser, skip }, use) {
      if (!browser) return skip(`${CHROMIUM} does not exist`)
      const site = await builtSite()
      await use(async (options = {}) => {
        const users: DemoUser[] = []
        const shop = await openShop({
          storefront: { build: () => site, users: async () => users },
          ...options,
          config: { storefront: true, ...options.config },
        })
        return new Storefront({ shop, browser, users })
      })
    },
  },
)

/** The visible text of the page, or of a part of it, on one line. */
export async function textOf(page: Page, selector = 'main'): Promise<string> {
  const texts = await page.locator(selector).allInnerTexts()
  return texts.join(' ').replace(/\s+/g, ' ').trim()
}

export const button = (within: Pick<Page, 'getByRole'>, name: string | RegExp) => within.getByRole('button', { name })

/** Clicks twice before the page can respond to the first click. */
export const clickTwice = (locator: Locator) =>
  locator.evaluate((element: HTMLElement) => {
    element.click()
    element.click()
  })

/** Holds matching requests back until the returned function is called. */
export async function holdRequests(page: Page, call: RegExp): Promise<() => void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  await page.route(call, async (route) => {
    await promise
    await route.continue()
  })
  return resolve
}

/** The open dialog. */
export const dialog = (page: Page) => page.getByRole('dialog')

/** Saves a screenshot for people to look at. */
export async function saveScreenshot(page: Page, name: string, options: { fullPage?: boolean } = {}): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true })
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), animations: 'disabled', ...options })
}
