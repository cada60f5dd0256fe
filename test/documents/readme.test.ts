import { execFile } from 'node:child_process'
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, extname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { openShop } from '../setup/shop.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')
const README = read('README.md')
const PICTURE_BYTES_MAX = 200 * 1_024

/** The variables of the configuration. */
const VARIABLES = [...read('server/src/config.ts').matchAll(/^ {2}([A-Z_]+): optional/gm)].map(([, name = '']) => name)
/** What docker-compose.yml says itself, and what makes sense in the embedded mode alone. */
const SET_BY_COMPOSE = ['DATABASE_URL', 'HOST', 'PORT']
const EMBEDDED = 'POINTWISE_DATABASE'

/** The cells of a Markdown table, found by its heading row. */
function table(heading: string): string[][] {
  const lines = README.split('\n')
  const start = lines.indexOf(heading)
  expect(start, `the table ${heading}`).toBeGreaterThan(-1)
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'))
  return lines.slice(start + 2, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

describe('the README', () => {
  test('lists every variable of the environment, as does .env.example', () => {
    expect(VARIABLES.length).toBeGreaterThan(10)
    expect(
      table('| variable | default | meaning |')
        .map(([name]) => name)
        .toSorted(),
    ).toEqual(VARIABLES.toSorted())
    const example = [...read('.env.example').matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name)
    expect(example.toSorted()).toEqual(VARIABLES.toSorted())
  })

  test('lists the defaults under which docker-compose.yml hands every variable on to the server', () => {
    const [, server = ''] = /^ {2}server:\n([\s\S]*?)^ {4}ports:/m.exec(read('docker-compose.yml')) ?? []
    const given = [...server.matchAll(/^ {6}([A-Z_]+): (.+)$/gm)].map(
      ([, name = '', value = '']) => [name, value] as const,
    )
    expect(given.map(([name]) => name).toSorted()).toEqual(VARIABLES.filter((name) => name !== EMBEDDED).toSorted())
    const defaults = new Map(
      table('| variable | default | meaning |').map(([name, value]) => [name, value === '–' ? '' : value]),
    )
    for (const [name, value] of given.filter(([name]) => !SET_BY_COMPOSE.includes(name))) {
      expect({ [name]: value }).toEqual({ [name]: `\${${name}:-${defaults.get(name)}}` })
    }
  })

  test('names scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    const named = [...README.matchAll(/npm (?:run )?(start|test|demo|audit|bench|docs|build|check)\b/g)].map(
      ([, name]) => name,
    )
    expect(named.filter((name) => name && !(name in scripts))).toEqual([])
  })

  test('shows two pictures of the shop and a chart, which cost a reader little', () => {
    const pictures = [...README.matchAll(/<img src="([^"]+)"[^>]* alt="[^"]{20,}"/g)].map(([, file = '']) => file)
    expect(pictures.map((file) => extname(file))).toEqual(['.png', '.png', '.svg'])
    for (const file of pictures) expect(statSync(join(ROOT, file)).size, file).toBeLessThanOrEqual(PICTURE_BYTES_MAX)
  })

  test('shows code that buys something', async () => {
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

test('every relative link of the pages leads somewhere', () => {
  const pages = [
    'README.md',
    'CHANGELOG.md',
    'CONTRIBUTING.md',
    'client-sdk/README.md',
    ...globSync('docs/**/*.md', { cwd: ROOT }),
  ]
  const broken = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !existsSync(join(ROOT, dirname(page), target)))
      .map((target) => `${page}: ${target}`),
  )
  expect(broken).toEqual([])
})
