import { execFile } from 'node:child_process'
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, extname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { openShop } from '../setup/shop.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')
const README = read('README.md')
const LINES_MAX = 150
const PICTURE_BYTES_MAX = 200 * 1_024

const PAGES = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'client-sdk/README.md',
  ...globSync('docs/**/*.md', { cwd: ROOT }),
].filter((page) => existsSync(join(ROOT, page)))

describe('README.md', () => {
  test(`has at most ${LINES_MAX} lines`, () => {
    expect(README.trimEnd().split('\n').length).toBeLessThanOrEqual(LINES_MAX)
  })

  test('shows two screenshots and a chart, each smaller than 200 KiB and with a description', () => {
    const pictures = [...README.matchAll(/<img src="([^"]+)"[^>]* alt="[^"]{20,}"/g)].map(([, file = '']) => file)
    expect(pictures.map((file) => extname(file))).toEqual(['.png', '.png', '.svg'])
    for (const file of pictures) expect(statSync(join(ROOT, file)).size, file).toBeLessThanOrEqual(PICTURE_BYTES_MAX)
  })

  test('shows code that buys a product', async () => {
    const [, snippet] = /```ts\n([\s\S]*?)```/.exec(README) ?? []
    expect(snippet).toBe(read('client-sdk/example/first-purchase.ts'))
    await using shop = await openShop()
    await shop.givenProduct({ price: 300 })
    const user = await shop.givenUser({ points: 1_000 })
    mkdirSync(join(ROOT, '.pointwise'), { recursive: true })
    const folder = mkdtempSync(join(ROOT, '.pointwise/readme-'))
    try {
      const file = join(folder, 'snippet.ts')
      writeFileSync(file, (snippet ?? '').replace('http://127.0.0.1:3000', shop.url))
      const buy = async () =>
        (await promisify(execFile)(process.execPath, [file], { env: { ...process.env, TOKEN: user.token } })).stdout
      expect(await buy()).toBe('Paid 300 points, 700 are left.\n')
      await buy()
      await buy()
      expect(await buy()).toBe('200 points short.\n')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('every page', () => {
  test('links only to files that exist', () => {
    const broken = PAGES.flatMap((page) =>
      [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)]
        .map(([, target = '']) => target)
        .filter((target) => !existsSync(join(ROOT, dirname(page), target)))
        .map((target) => `${page}: ${target}`),
    )
    expect(broken).toEqual([])
  })

  test('names only npm scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    const unknown = PAGES.filter((page) => page !== 'client-sdk/README.md').flatMap((page) =>
      [
        ...read(page).matchAll(
          /\bnpm (?:run (?:-s )?)?(start|test|[a-z]+:[a-z]+|demo|audit|bench|docs|contract|build|bump|check|format)(?![\w:])/g,
        ),
      ]
        .map(([, name = '']) => name)
        .filter((name) => !(name in scripts))
        .map((name) => `${page}: npm run ${name}`),
    )
    expect(unknown).toEqual([])
  })
})

describe('docs/decisions', () => {
  const decisions = globSync('docs/decisions/*.md', { cwd: ROOT }).toSorted()
  const statusOf = (text: string) => /^\*\*Status\.\*\* (.+)$/m.exec(text)?.[1]

  test('each state whether they are accepted, or which decision supersedes them', () => {
    expect(decisions.length).toBeGreaterThan(5)
    const wrong = decisions.filter((page) => {
      const status = statusOf(read(page)) ?? ''
      const [, by] = /^Superseded by \[\d{4}\]\((\d{4}-[\w-]+\.md)\)/.exec(status) ?? []
      return by === undefined ? !/^Accepted\b/.test(status) : !existsSync(join(ROOT, 'docs/decisions', by))
    })
    expect(wrong).toEqual([])
  })
})
