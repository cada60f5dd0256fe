import { globSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { basename } from 'node:path'
import type { ICruiseResult, IModule } from 'dependency-cruiser'
import { beforeAll, describe, expect, test } from 'vitest'
import { readImportGraph } from './import-graph.ts'
import { IMPORT_RULES, LAYERS } from './import-rules.ts'
import { all, pathsOf, ROOT, read, server, tests } from './sources.ts'

let graph: ICruiseResult
beforeAll(async () => {
  graph = await readImportGraph()
})

const moduleOf = (path: string) => graph.modules.find(({ source }) => source === path)

describe('the import graph', () => {
  test('contains every source', () => {
    expect(all.length).toBeGreaterThan(400)
    expect(pathsOf(all, ({ path }) => !moduleOf(path))).toEqual([])
  })

  test('contains static, type-only and dynamic imports', () => {
    const typesOf = (from: string, to: string) =>
      moduleOf(from)?.dependencies.find(({ resolved }) => resolved === to)?.dependencyTypes ?? []
    expect(typesOf('server/src/payments/router.ts', 'server/src/payments/service.ts')).not.toContain('type-only')
    expect(typesOf('server/src/rpc/context.ts', 'server/src/audit/service.ts')).toContain('type-only')
    expect(typesOf('server/src/app.ts', 'server/src/http/web/storefront.ts')).toContain('dynamic-import')
  })

  test('contains packages, also those whose entry point is in a folder dist', () => {
    const packagesOf = (path: string) => moduleOf(path)?.dependencies.map(({ module }) => module)
    expect(packagesOf('server/src/rpc/init.ts')).toContain('@trpc/server')
    expect(packagesOf('server/src/rpc/schemas.ts')).toContain('zod')
  })

  test('has one layer for each file of the server', () => {
    const layersOf = (path: string) => LAYERS.filter(({ files }) => new RegExp(files).test(path))
    expect(pathsOf(server, ({ path }) => layersOf(path).length !== 1)).toEqual([])
  })
})

test.each(IMPORT_RULES.map(({ name }) => name ?? ''))('%s', (name) => {
  const violations = graph.summary.violations.filter(({ rule }) => rule.name === name)
  const show = ({ from, to, cycle, via }: (typeof violations)[number]) =>
    [from, ...(cycle ?? via ?? [{ name: to }]).map((step) => step.name)].join(' → ')
  expect(violations.map(show)).toEqual([])
})

/** The files from which a process starts or a package is imported. */
function entryPoints(): string[] {
  const manifests = globSync('{.,db,server,client-sdk}/package.json', { cwd: ROOT })
  const named = manifests.flatMap((path) => {
    const folder = path.replace(/package\.json$/, '')
    return [...read(path).matchAll(/[\w./-]+\.tsx?\b/g)].map(([file]) => `${folder}${file.replace(/^\.\//, '')}`)
  })
  return [
    ...named,
    ...globSync('client-sdk/{example,build}/*.ts', { cwd: ROOT }),
    'client-sdk/example/storefront/src/main.tsx',
    'client-sdk/example/storefront/vite.config.ts',
  ]
}

function reachableFrom(entries: string[]): Set<string> {
  const reached = new Set(entries)
  for (const path of reached) {
    const module: IModule | undefined = moduleOf(path)
    for (const { resolved } of module?.dependencies ?? []) reached.add(resolved)
  }
  return reached
}

describe('no file is dead', () => {
  test('every source of a package is reachable from an entry point, without the tests', () => {
    const reached = reachableFrom(entryPoints())
    const shipped = all.filter(({ path }) => !path.startsWith('test/'))
    expect(pathsOf(shipped, ({ path }) => !reached.has(path))).toEqual([])
  })

  test('every file of the tests is a test, is imported by a test or is started by its name', () => {
    const isStarted = (path: string) => {
      const literals = [`'${basename(path)}'`, `/${basename(path)}'`]
      return tests.some(({ path: other, code }) => other !== path && literals.some((literal) => code.includes(literal)))
    }
    const entries = pathsOf(tests, ({ path }) => /\.test(-d)?\.ts$/.test(path) || isStarted(path))
    const setup = ['vitest.config.ts', 'test/setup/global.ts', 'test/setup/sent-statements.ts']
    const reached = reachableFrom([...setup, 'test/bench/bench.ts', ...entries])
    expect(pathsOf(tests, ({ path }) => !reached.has(path))).toEqual([])
  })
})

test('every package declares what its files import', () => {
  const undeclared = ['db', 'server', 'client-sdk', 'test'].flatMap((folder) => {
    const { name, dependencies, devDependencies } = JSON.parse(read(`${folder}/package.json`))
    const declared = new Set([name, ...Object.keys({ ...dependencies, ...devDependencies })])
    return graph.modules
      .filter(({ source }) => source.startsWith(`${folder}/`))
      .flatMap(({ source, dependencies }) =>
        dependencies
          .filter(({ module }) => !module.startsWith('.') && !isBuiltin(module))
          .map(({ module }) =>
            module
              .split('/')
              .slice(0, module.startsWith('@') ? 2 : 1)
              .join('/'),
          )
          .filter((imported) => !declared.has(imported))
          .map((imported) => `${source}: ${imported}`),
      )
  })
  expect(undeclared).toEqual([])
})

test('the code of a package, without its tools, imports no development dependency', () => {
  const wrong = ['db/src', 'server/src', 'client-sdk/src'].flatMap((folder) => {
    const { name, devDependencies } = JSON.parse(read(`${folder.replace('/src', '')}/package.json`))
    return graph.modules
      .filter(({ source }) => source.startsWith(`${folder}/`) && source !== 'server/src/embedded/build-storefront.ts')
      .flatMap(({ source, dependencies }) =>
        dependencies
          .filter(
            ({ module, dependencyTypes }) =>
              module !== name && module in (devDependencies ?? {}) && !dependencyTypes.includes('type-only'),
          )
          .map(({ module }) => `${source}: ${module}`),
      )
  })
  expect(wrong).toEqual([])
})
