import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { parseEvent } from '@pointwise/client-sdk/events'
import { publint } from 'publint'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { openShop } from '../setup/shop.ts'
import { PAID, withHeaders, withPayload } from './event-messages.ts'
import { hovers } from './hover.ts'

const run = promisify(execFile)
const testFolder = fileURLToPath(new URL('.', import.meta.url))
const root = fileURLToPath(new URL('../..', import.meta.url))
const sdk = join(root, 'client-sdk')
const modules = join(root, 'node_modules')

/** TypeScript 7, 6.0 and 5.9, by the folder in which each is installed. */
const COMPILERS = ['typescript', 'typescript-6', 'typescript-5']

/** Upper bounds of what the package costs its users. */
const PACKAGES_MAX = 7
const BUNDLE_BYTES_MAX = 17 * 1_024
const EVENTS_BUNDLE_BYTES_MAX = 5 * 1_024
const INSTANTIATIONS_MAX = 5_000

/** Programs that run in a folder where only the package is installed. */
const CONSUMER = 'package-consumer.mjs'
const EVENT_CONSUMER = 'event-consumer.mjs'

/** Programs that contain errors on purpose, each in the line after a directive. */
const PROGRAMS = ['types.test-d.ts', 'events.test-d.ts']

const TSCONFIG = {
  compilerOptions: {
    target: 'es2022',
    lib: ['es2022', 'dom', 'dom.iterable', 'esnext.disposable'],
    module: 'nodenext',
    types: [],
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
  },
  files: ['consumer.ts'],
}

describe('The published package', () => {
  let folder: string
  let tarball: string
  let consumer: string
  let installed: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pointwise-package-'))
    consumer = join(folder, 'consumer')
    installed = join(consumer, 'node_modules', '@pointwise', 'client-sdk')
    await mkdir(consumer)
    await run(process.execPath, [join(sdk, 'build', 'build.ts'), join(folder, 'dist')])
    await npm('pack', join(folder, 'dist'), '--pack-destination', folder)
    const fileName = (await readdir(folder)).find((file) => file.endsWith('.tgz'))
    tarball = join(folder, fileName ?? expect.fail('npm pack wrote no tarball'))
    await write('package.json', JSON.stringify({ type: 'module' }))
    await write('tsconfig.json', JSON.stringify(TSCONFIG))
    await npm('install', '--prefix', consumer, tarball)
    for (const program of [CONSUMER, EVENT_CONSUMER]) await copyFile(join(testFolder, program), join(consumer, program))
  }, 180_000)

  afterAll(() => rm(folder, { recursive: true, force: true }))

  const npm = (command: string, ...options: string[]) =>
    run('npm', [command, '--no-audit', '--no-fund', '--prefer-offline', ...options], { cwd: consumer })
  const write = (name: string, text: string) => writeFile(join(consumer, name), text)

  /** Compiles a consumer's program, and returns what the compiler prints. */
  async function compile(compiler: string, source: string, ...flags: string[]): Promise<string> {
    await write('consumer.ts', source)
    const tsc = join(modules, compiler, 'bin', 'tsc')
    const compiling = run(process.execPath, [tsc, '-p', consumer, '--pretty', 'false', ...flags], { cwd: consumer })
    return compiling.then(
      ({ stdout }) => stdout,
      ({ stdout }: { stdout: string }) => stdout,
    )
  }

  /** The numbers of the lines in which the compiler reports an error. */
  async function linesWithErrors(compiler: string, source: string): Promise<number[]> {
    const output = await compile(compiler, source)
    const errors = output.split('\n').filter((line) => line.includes('error TS'))
    const positions = errors.map((line) => /^consumer\.ts\((\d+),/.exec(line) ?? expect.fail(line))
    return [...new Set(positions.map(([, line]) => Number(line)))].sort((a, b) => a - b)
  }

  it('contains the entry points, the modules they import, and the documentation', async () => {
    const files = await readdir(installed)
    const { exports } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'))
    expect(exports).toEqual({
      '.': { types: './index.d.ts', default: './index.js' },
      './events': { types: './events.d.ts', default: './events.js' },
    })
    expect(files).toEqual(
      expect.arrayContaining(['README.md', 'CHANGELOG.md', 'LICENSE', 'index.js', 'index.d.ts', 'contract.d.ts']),
    )
    expect(files).toEqual(expect.arrayContaining(['events.js', 'events.d.ts', 'event-payloads.d.ts']))
    expect(files).not.toContain('contract.js')
  })

  it('has a manifest that names its license, author, repository and supported Node versions', async () => {
    const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'))
    const source = JSON.parse(await readFile(join(sdk, 'package.json'), 'utf8'))
    const workspace = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    expect(manifest).toMatchObject({
      name: '@pointwise/client-sdk',
      version: source.version,
      description: expect.stringContaining('Pointwise'),
      keywords: expect.arrayContaining(['pointwise', 'typescript']),
      license: workspace.license,
      author: 'The Pointwise maintainers',
      repository: { type: 'git', url: expect.stringMatching(/^git\+https:.*\.git$/), directory: 'client-sdk' },
      type: 'module',
      sideEffects: false,
      engines: { node: '>=20' },
      dependencies: source.dependencies,
    })
    const repository = manifest.repository.url.replace(/^git\+|\.git$/g, '')
    expect(manifest.homepage.startsWith(`${repository}/`)).toBe(true)
    expect(manifest.bugs.url.startsWith(`${repository}/`)).toBe(true)
    expect(manifest).not.toHaveProperty('private')
    expect(manifest).not.toHaveProperty('devDependencies')
  })

  it('depends on tRPC, superjson and eventsource-parser, and on no package of the server', async () => {
    const packages = await readdir(join(consumer, 'node_modules'))
    expect(packages).toEqual(expect.arrayContaining(['@trpc', 'eventsource-parser', 'superjson']))
    for (const serverPackage of ['kysely', 'mysql2', 'fastify', 'zod']) expect(packages).not.toContain(serverPackage)
  })

  it(`installs at most ${PACKAGES_MAX} packages, including itself and excluding TypeScript`, async () => {
    const lock = JSON.parse(await readFile(join(consumer, 'node_modules', '.package-lock.json'), 'utf8'))
    const packages = Object.keys(lock.packages).filter(
      (path) => !/^node_modules\/(@typescript\/.*|typescript)$/.test(path),
    )
    expect(packages).toContain('node_modules/@pointwise/client-sdk')
    expect(packages.length, packages.join(', ')).toBeLessThanOrEqual(PACKAGES_MAX)
  })

  /** The code of a program for browsers, with everything that it imports, and the modules that it contains. */
  async function bundle(program: string): Promise<{ bytes: number; modules: string[] }> {
    await write('page.js', program)
    const rolled = await rolldown({ input: join(consumer, 'page.js'), platform: 'browser' })
    const { output } = await rolled.generate({ format: 'es', minify: true })
    await rolled.close()
    expect(output).toHaveLength(1)
    expect(output[0].imports).toEqual([])
    return { bytes: gzipSync(output[0].code, { level: 9 }).length, modules: output[0].moduleIds }
  }

  it(`adds at most ${BUNDLE_BYTES_MAX} gzipped bytes to a browser bundle, and nothing of the events`, async () => {
    const { bytes, modules } = await bundle(
      "import { createClient } from '@pointwise/client-sdk'\nglobalThis.shop = createClient({ url: '/' })\n",
    )
    expect(bytes).toBeGreaterThan(5_000)
    expect(bytes).toBeLessThanOrEqual(BUNDLE_BYTES_MAX)
    expect(modules).toContain(join(installed, 'client.js'))
    expect(modules).not.toContain(join(installed, 'event-schemas.js'))
  })

  it(`has an entry point for events that adds at most ${EVENTS_BUNDLE_BYTES_MAX} gzipped bytes, and loads no package`, async () => {
    const { bytes, modules } = await bundle(
      "import { EventDeduplicator, parseEvent } from '@pointwise/client-sdk/events'\nglobalThis.events = [EventDeduplicator, parseEvent]\n",
    )
    expect(bytes).toBeGreaterThan(1_000)
    expect(bytes).toBeLessThanOrEqual(EVENTS_BUNDLE_BYTES_MAX)
    expect(modules).toContain(join(installed, 'event-schemas.js'))
    expect(modules.filter((module) => ![installed, consumer].includes(dirname(module)))).toEqual([])
  })

  it('passes publint and attw', async () => {
    const { messages } = await publint({ pkgDir: join(folder, 'dist'), strict: true })
    expect(messages).toEqual([])
    const attw = await run(join(modules, '.bin', 'attw'), [tarball, '--profile', 'esm-only', '--format', 'json'])
    const { problems } = JSON.parse(attw.stdout)
    expect(Object.keys(problems)).toEqual(['CJSResolvesToESM'])
  })

  it('has types that an editor shows as plain fields', async () => {
    const source = await readFile(join(testFolder, 'hover.test-d.ts'), 'utf8')
    await write('consumer.ts', source)
    const results = hovers(join(consumer, 'consumer.ts'), source)
    expect(results.length).toBeGreaterThan(5)
    for (const { line, expected, text } of results) expect(`${line}: ${text}`).toBe(`${line}: ${expected}`)
  })

  it('has declarations that import only tRPC and each other, and contain no `any`', async () => {
    const files = await readdir(installed)
    const declarations = files.filter((file) => file.endsWith('.d.ts'))
    for (const file of declarations) {
      const code = codeOf(await readFile(join(installed, file), 'utf8'))
      const imported = [...code.matchAll(/(?:from |import\()['"]([^'"]+)/g)].map(([, specifier = '']) => specifier)
      for (const specifier of imported.filter((specifier) => !specifier.startsWith('@trpc/'))) {
        expect(declarations).toContain(specifier.replace(/^\.\//, '').replace(/\.js$/, '.d.ts'))
      }
      expect(code).not.toMatch(/\bany\b/)
    }
  })

  it('uses no module and no global that only Node has', async () => {
    const modules = (await readdir(installed)).filter((file) => file.endsWith('.js'))
    for (const file of modules) {
      expect(codeOf(await readFile(join(installed, file), 'utf8'))).not.toMatch(
        /node:|\bBuffer\b|\bprocess\b|\brequire\b/,
      )
    }
  })

  describe.each(COMPILERS)('with %s', (compiler) => {
    it.each(PROGRAMS)('accepts correct calls, and reports each incorrect call at its own line: %s', async (program) => {
      const lines = (await readFile(join(testFolder, program), 'utf8')).split('\n')
      const isDirective = (line: string) => line.trimStart().startsWith('// @ts-')
      const incorrect = lines.flatMap((line, index) => (isDirective(line) ? [index + 2] : []))
      const source = lines.map((line) => (isDirective(line) ? '' : line)).join('\n')
      expect(incorrect.length).toBeGreaterThan(10)
      expect(await linesWithErrors(compiler, source)).toEqual(incorrect)
    })

    it(`takes at most ${INSTANTIATIONS_MAX} type instantiations to check a first purchase`, async () => {
      const source = await readFile(join(sdk, 'example', 'first-purchase.ts'), 'utf8')
      const program = source.replace('process.env.TOKEN', "'token'")
      // Without skipLibCheck, checking the compiler's own libraries takes five times the bound.
      const output = await compile(compiler, program, '--skipLibCheck', '--extendedDiagnostics')
      expect(output).not.toContain('error TS')
      const instantiations = Number(/^Instantiations: +(\d+)$/m.exec(output)?.[1])
      expect(instantiations).toBeGreaterThan(100)
      expect(instantiations).toBeLessThanOrEqual(INSTANTIATIONS_MAX)
    })
  })

  it('places an order on a running server', async () => {
    await using shop = await openShop()
    const { token } = await shop.givenUser({ points: 10_000 })
    const product = await shop.givenProduct({ price: 400, stock: 5 })
    const { stdout } = await run(process.execPath, [CONSUMER, shop.url, token, String(product.id)], { cwd: consumer })
    expect(JSON.parse(stdout)).toEqual({
      paid: 800,
      balance: 9_200,
      replayed: true,
      left: 3,
      refused: { code: 'stock_insufficient', retry: 'never', productId: product.id, requested: 4, available: 3 },
    })
  })

  it('reads events', async () => {
    const unknown = withHeaders({ ce_type: 'points.granted' })
    const messages = [PAID, PAID, unknown, withPayload({ balance: null })]
    const { stdout } = await run(process.execPath, [EVENT_CONSUMER, JSON.stringify(messages)], { cwd: consumer })
    expect(JSON.parse(stdout)).toEqual({
      handled: [{ ...parseEvent(PAID), at: '2026-03-01T08:00:00.123Z' }],
      lastId: 17,
      rejected: ['unknown_type', 'invalid_payload'],
    })
  })
})

test('The sources of the client compile without the types of Node', async () => {
  await run(process.execPath, [join(modules, 'typescript', 'bin', 'tsc'), '-b', join(sdk, 'tsconfig.json')])
}, 120_000)

/** The text without its comments. */
function codeOf(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
}
