import { execFileSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../..')
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')
const page = read('docs/architecture.md')
/** Files that a reader of the page is to create: the examples of "how to add". */
const EXAMPLES = ['test/orders/count.test.ts', 'db/src/migrations/0014-coupons.ts', 'test/coupons/', 'coupons/']

const section = (heading: string) => page.split(/^## /m).find((text) => text.startsWith(heading)) ?? ''

describe('docs/architecture.md', () => {
  test.each(['How to add a procedure', 'How to add a slice'])(
    '%s names only files that exist, or the ones to add',
    (heading) => {
      const paths = [...section(heading).matchAll(/`([\w./-]+\/[\w./-]*)`/g)].map(([, path = '']) => path)
      expect(paths.length).toBeGreaterThan(0)
      const missing = paths.filter((path) => !EXAMPLES.includes(path) && !existsSync(join(ROOT, path)))
      expect(missing).toEqual([])
    },
  )

  test('links every file that a checkout, a refusal and an event pass', () => {
    for (const heading of ['A checkout', 'A refusal', 'An event']) {
      const links = [...section(heading).matchAll(/\]\((\.\.\/[^)]+)\)/g)].map(([, path = '']) => path)
      expect(links.length, heading).toBeGreaterThanOrEqual(3)
      expect(links.filter((path) => !existsSync(join(ROOT, 'docs', path)))).toEqual([])
    }
  })
})

/** Names in backticks that do not occur in the code: SQL, a variable of Node.js, metrics with a common prefix, and the examples of this page. */
const FOREIGN =
  /^(SELECT|INSERT|UPDATE|CREATE|ALTER|INDEX|REFERENCES|FILE|SUPER|GRANT|NODE_EXTRA_CA_CERTS|pointwise_\w+|coupons|couponsRouter|count|countOrders)$/

test('every identifier in backticks occurs in the code', () => {
  const files = execFileSync('git', ['ls-files'], { cwd: ROOT, encoding: 'utf8' }).split('\n').filter(Boolean)
  const code = files.filter((file) => /\.(tsx?|mjs|json|ya?ml)$|^\.env\.example$|Dockerfile/.test(file)).map(read)
  const words = new Set(code.flatMap((text) => text.match(/[A-Za-z_$][\w$]*/g) ?? []))
  const fileNames = new Set(files.map((file) => basename(file)))
  const isKnown = (name: string) =>
    FOREIGN.test(name) || fileNames.has(name) || name.split('.').every((word) => words.has(word))

  const pages = ['README.md', 'CONTRIBUTING.md', ...globSync('docs/**/*.md', { cwd: ROOT })]
  const unknown = pages.flatMap((file) => {
    const prose = read(file).replace(/^```[\s\S]*?^```/gm, '')
    return [...prose.matchAll(/`([A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*)(?:\([^`]*\))?`/g)]
      .map(([, name = '']) => name)
      .filter((name) => !isKnown(name))
      .map((name) => `${file}: ${name}`)
  })
  expect(unknown).toEqual([])
})
