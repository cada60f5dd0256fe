import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const LINES_MAX = 300

interface Source {
  /** From the root, such as `server/src/orders/service.ts`. */
  path: string
  text: string
  /** Without comments. */
  code: string
  imports: { to: string; typeOnly: boolean }[]
}

function sourcesUnder(folder: string): Source[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length))
    .filter((path) => !/(^|\/)(node_modules|dist)\//.test(path))
    .map(read)
}

function read(path: string): Source {
  const text = readFileSync(join(ROOT, path), 'utf8')
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
  const statements = code.matchAll(/^(?:import|export)\s(?<what>[^'";]*?\sfrom\s)?'(?<to>[^']+)'/gm)
  const dynamic = code.matchAll(/\bimport\('(?<to>[^']+)'\)/g)
  const imports = [...statements, ...dynamic].map(({ groups: { what = '', to = '' } = {} }) => ({
    to: to.startsWith('.') ? normalize(join(dirname(path), to)) : to,
    typeOnly: /^type\s/.test(what) || /^\{(\s*type\s[^,}]+,?)+\s*\}/.test(what),
  }))
  return { path, text, code, imports }
}

const db = sourcesUnder('db')
const server = sourcesUnder('server')
const sdk = sourcesUnder('client-sdk')
const tests = sourcesUnder('test')
const all = [...db, ...server, ...sdk, ...tests]

/** The sources for which something holds that must not. */
const offenders = (sources: Source[], isWrong: (source: Source) => unknown) =>
  sources.filter(isWrong).map(({ path }) => path)

const importing = (to: RegExp) => (source: Source) => source.imports.some((each) => to.test(each.to))

/** Each slice, and the slices whose services it may call. */
const SLICES: Record<string, string[]> = {
  payments: ['orders', 'products', 'stores', 'points'],
  orders: ['products', 'stores'],
  products: ['stores'],
  stores: [],
  users: ['points'],
  points: [],
  audit: [],
}

/** `orders/service.ts` is { slice: 'orders', layer: 'service' }, and so is whatever else a slice keeps to itself. */
function placeOf(path: string) {
  const [, slice = '', file = ''] = /^server\/src\/([\w-]+)\/([\w-]+)(\/[\w-]+)?\.ts$/.exec(path) ?? []
  if (!(slice in SLICES)) return undefined
  return { slice, layer: { main: 'main', router: 'router', schemas: 'router', queries: 'queries' }[file] ?? 'service' }
}

/** From the process down to the database: a source imports its own level and those below it. */
const LEVELS = ['main', 'app', 'routers', 'router', 'frame', 'service', 'queries', 'refusals']
const OUTSIDE_SLICES: [RegExp, string][] = [
  [/^server\/src\/(main|process|index)\.ts$|^server\/src\/(embedded\/|openapi\/write-)/, 'main'],
  [/^server\/src\/(app|caller)\.ts$|^server\/src\/(http|openapi)\//, 'app'],
  [/^server\/src\/router\.ts$/, 'routers'],
  [/^server\/src\/(procedures|schemas|live\/procedure)\.ts$/, 'router'],
  [/^server\/src\/(trpc|transformer|context|attempts|rate-limit|auth|key-set|config)\.ts$/, 'frame'],
  [/^server\/src\/live\/queries\.ts$/, 'queries'],
  [/^server\/src\/(cursor|events|kept)\.ts$|^server\/src\/live\//, 'service'],
  [/^server\/src\/refusals\.ts$/, 'refusals'],
]
function levelOf(path: string): number {
  const outside = OUTSIDE_SLICES.find(([pattern]) => pattern.test(path))?.[1]
  return LEVELS.indexOf(placeOf(path)?.layer ?? outside ?? '')
}

test('the sources are found, and their imports are read', () => {
  expect([db, server, sdk, tests].every((sources) => sources.length > 5)).toBe(true)
  const router = server.find(({ path }) => path === 'server/src/payments/router.ts')
  expect(router?.imports).toContainEqual({ to: 'server/src/payments/service.ts', typeOnly: false })
  expect(router?.imports).toContainEqual({ to: 'zod', typeOnly: false })
  const context = server.find(({ path }) => path === 'server/src/rpc/context.ts')
  expect(context?.imports).toContainEqual({ to: 'server/src/auth/authenticate.ts', typeOnly: true })
})

describe('imports go one way', () => {
  test('main → app → router → slice/router → slice/service → slice/queries', () => {
    expect(offenders(server, ({ path }) => levelOf(path) === -1)).toEqual([])
    const upwards = server.flatMap((source) =>
      source.imports
        .filter(({ to, typeOnly }) => !typeOnly && /^server\/.*\.ts$/.test(to) && levelOf(to) < levelOf(source.path))
        .map(({ to }) => `${source.path} → ${to}`),
    )
    expect(upwards).toEqual([])
  })

  test('slices form a line: a slice calls the services of those after it, never their queries', () => {
    const wrong = server.flatMap((source) => {
      const from = placeOf(source.path)
      return source.imports
        .filter(({ to }) => {
          const into = placeOf(to)
          if (!from || !into || from.slice === into.slice) return false
          return !SLICES[from.slice]?.includes(into.slice) || into.layer === 'queries' || from.layer === 'queries'
        })
        .map(({ to }) => `${source.path} → ${to}`)
    })
    expect(wrong).toEqual([])
  })

  test('queries are imported by the service of their own slice alone', () => {
    const wrong = server.flatMap((source) =>
      source.imports
        .filter(({ to }) => placeOf(to)?.layer === 'queries')
        .filter(
          ({ to }) => placeOf(source.path)?.slice !== placeOf(to)?.slice || placeOf(source.path)?.layer === 'router',
        )
        .map(({ to }) => `${source.path} → ${to}`),
    )
    expect(wrong).toEqual([])
  })

  test('services and queries know no tRPC, no Fastify and no zod', () => {
    const isLive = (path: string) => path.startsWith('server/src/live/') && !path.endsWith('/procedure.ts')
    const inside = server.filter(
      ({ path }) => isLive(path) || ['service', 'queries'].includes(placeOf(path)?.layer ?? ''),
    )
    expect(inside.length).toBeGreaterThanOrEqual(12)
    expect(offenders(inside, importing(/^@trpc\/|^@?fastify|^zod$|server\/src\/(trpc|procedures)\.ts$/))).toEqual([])
  })

  test('db imports nothing of ours', () => {
    expect(offenders(db, importing(/^@pointwise\/|^(server|client-sdk|test)\//))).toEqual([])
  })

  test('the SDK imports types of the server, and nothing else of it', () => {
    const wrong = sdk.flatMap(({ path, imports }) =>
      imports
        .filter(
          ({ to, typeOnly }) =>
            /^@pointwise\/db|^(db|test)\//.test(to) || (/^@pointwise\/server|^server\//.test(to) && !typeOnly),
        )
        .map(({ to }) => `${path} → ${to}`),
    )
    expect(wrong).toEqual([])
  })

  test('the storefront imports the SDK as any frontend would, and nothing else of ours', () => {
    const page = sdk.filter(({ path }) => path.startsWith('client-sdk/example/storefront/src/'))
    expect(page.length).toBeGreaterThan(30)
    const allowed =
      /^(@pointwise\/client-sdk|react|react-dom\/client|@tanstack\/react-query)$|^client-sdk\/example\/storefront\/src\//
    const wrong = page.flatMap(({ path, imports }) =>
      imports.filter(({ to }) => !allowed.test(to)).map(({ to }) => `${path} → ${to}`),
    )
    expect(wrong).toEqual([])
  })

  test('the catalogue of refusals imports nothing but types and the schemas of its details', () => {
    const refusals = server.find(({ path }) => path === 'server/src/refusals.ts')
    const values = refusals?.imports.filter(({ typeOnly }) => !typeOnly).map(({ to }) => to)
    expect(values).toEqual(['zod', 'server/src/rpc/schemas.ts'])
  })
})

describe('each thing is done in one place', () => {
  test('pages for a browser are loaded only where they are shown', () => {
    expect(offenders(server, importing(/^@scalar\//))).toEqual(['server/src/http/web/api-reference.ts'])
    const pages = /server\/src\/(http\/(reference|storefront)|embedded\/storefront)\.ts$/
    const loaded = server.filter(({ path, imports }) =>
      imports.some(({ to, typeOnly }) => pages.test(to) && !typeOnly && !pages.test(path)),
    )
    expect(loaded.map(({ path }) => path).toSorted()).toEqual(['server/src/app.ts', 'server/src/main.ts'])
    for (const { code } of loaded) {
      expect(code).not.toMatch(/^import (?!type )[^;\n]*(reference|storefront)\.ts/m)
      expect(code).toMatch(/if \([^)]*config\.storefront\) \{[\s\S]{0,250}\bimport\('[^']*storefront\.ts'\)/)
    }
  })

  test('examples are values, and nothing else', () => {
    const examples = server.filter(({ path }) => path.endsWith('/examples.ts'))
    expect(examples.length).toBeGreaterThan(5)
    expect(examples.flatMap(({ imports }) => imports.filter(({ to }) => !to.endsWith('/examples.ts')))).toEqual([])
  })

  const isQueries = ({ path }: Source) =>
    placeOf(path)?.layer === 'queries' || /^server\/src\/(events|live\/queries)\.ts$/.test(path)

  test('only queries.ts and the outbox build SQL', () => {
    const builds = /\.(insertInto|updateTable|deleteFrom|selectFrom|selectNoFrom|replaceInto|mergeInto|with)\(/
    const rest = server.filter((source) => !isQueries(source))
    expect(offenders(rest, ({ code }) => builds.test(code))).toEqual([])
    expect(offenders(rest, importing(/^kysely/))).toEqual([])
    expect(offenders(server, importing(/^mysql2/))).toEqual([])
  })

  test('only config.ts reads the environment, which each main.ts hands to it', () => {
    const reads = server.filter(({ code }) => /process\.env|import\.meta\.env/.test(code))
    expect(reads.map(({ path }) => path).toSorted()).toEqual(['server/scripts/audit.ts', 'server/src/main.ts'])
    for (const { code } of reads) {
      expect(code.match(/process\.env/g)).toHaveLength(1)
      expect(code).toMatch(/\bread(Database)?Config\(process\.env\)/)
    }
    expect(
      offenders(
        sdk.filter(({ path }) => path.startsWith('client-sdk/src/')),
        ({ code }) => /process\.env/.test(code),
      ),
    ).toEqual([])
  })

  test('a transaction is opened by routers, for the payments of a batch, and by the demonstration', () => {
    const opens = server.filter(({ code }) => /\btransact\(/.test(code))
    const allowed = /^server\/src\/(\w+\/router|payments\/batch|attempts)\.ts$|^server\/src\/embedded\//
    expect(opens.length).toBeGreaterThan(5)
    expect(offenders(opens, ({ path }) => !allowed.test(path))).toEqual([])
    expect(offenders([...server, ...sdk], ({ code }) => /\b(startTransaction|transaction)\(\)/.test(code))).toEqual([])
  })

  test('nobody but the logger prints, except where a person started the process', () => {
    const prints = /\bconsole\.|process\.(stdout|stderr)\.write/
    const printing = [...server, ...db].filter(({ code }) => prints.test(code))
    expect(
      offenders(printing, ({ path }) => !/^server\/src\/((audit\/)?main|openapi\/write-\w+)\.ts$/.test(path)),
    ).toEqual([])
  })
})

describe('files', () => {
  const others = all.filter(({ path }) => path !== 'test/architecture.test.ts')

  test('are not called after nothing in particular', () => {
    const vague = /(^|\/)(utils?|common|helpers?|lib|types|misc|shared|constants)(\/|\.(?!test-d))/
    expect(offenders(all, ({ path }) => vague.test(path))).toEqual([])
  })

  test(`have ${LINES_MAX} lines at most`, () => {
    expect(offenders(all, ({ text }) => text.trimEnd().split('\n').length > LINES_MAX)).toEqual([])
  })

  test('leave nothing for later', () => {
    expect(offenders(others, ({ text }) => /\b(TODO|FIXME|XXX)\b/.test(text))).toEqual([])
  })

  test('silence the compiler nowhere but in type tests', () => {
    const silenced = /@ts-(ignore|nocheck|expect-error)/
    const checked = others.filter(({ path }) => !path.endsWith('.test-d.ts'))
    expect(offenders(checked, ({ text }) => silenced.test(text))).toEqual([])
  })
})
