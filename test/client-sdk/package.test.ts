import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { publint } from 'publint'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openShop } from '../setup/shop.ts'
import { hovers } from './hover.ts'

const run = promisify(execFile)
const here = fileURLToPath(new URL('.', import.meta.url))
const sdk = fileURLToPath(new URL('../../client-sdk', import.meta.url))

const modules = fileURLToPath(new URL('../../node_modules', import.meta.url))

/** Versions 7, 6.0 and 5.9, by the folder they are installed in. */
const COMPILERS = ['typescript', 'typescript-6', 'typescript-5']

/** What the package may cost whoever uses it. */
const PACKAGES_MAX = 6
const BUNDLE_BYTES_MAX = 16 * 1_024
const INSTANTIATIONS_MAX = 5_000

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

describe('the package', () => {
  let folder: string
  let packed: string
  let consumer: string
  let installed: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pointwise-package-'))
    consumer = join(folder, 'consumer')
    installed = join(consumer, 'node_modules', '@pointwise', 'client-sdk')
    await mkdir(consumer)
    await run(process.execPath, [join(sdk, 'build', 'build.ts'), join(folder, 'dist')])
    await npm('pack', join(folder, 'dist'), '--pack-destination', folder)
    const tarball = (await readdir(folder)).find((file) => file.endsWith('.tgz')) ?? expect.fail('no tarball')
    await write('package.json', JSON.stringify({ type: 'module' }))
    await write('tsconfig.json', JSON.stringify(TSCONFIG))
    packed = join(folder, tarball)
    await npm('install', '--prefix', consumer, packed)
    await copyFile(join(here, 'buy.mjs'), join(consumer, 'buy.mjs'))
  }, 180_000)

  afterAll(() => rm(folder, { recursive: true, force: true }))

  const npm = (command: string, ...more: string[]) =>
    run('npm', [command, '--no-audit', '--no-fund', '--prefer-offline', ...more], { cwd: consumer })
  const write = (name: string, text: string) => writeFile(join(consumer, name), text)

  /** What a compiler says of a consumer's program. */
  async function compile(compiler: string, source: string, ...flags: string[]): Promise<string> {
    await write('consumer.ts', source)
    const tsc = join(modules, compiler, 'bin', 'tsc')
    const said = run(process.execPath, [tsc, '-p', consumer, '--pretty', 'false', ...flags], { cwd: consumer })
    return said.then(
      ({ stdout }) => stdout,
      ({ stdout }: { stdout: string }) => stdout,
    )
  }

  /** The lines that a compiler complains about. */
  async function linesRefused(compiler: string, source: string): Promise<number[]> {
    const said = await compile(compiler, source)
    const complaints = said.split('\n').filter((line) => line.includes('error TS'))
    const places = complaints.map((line) => /^consumer\.ts\((\d+),/.exec(line) ?? expect.fail(line))
    return [...new Set(places.map(([, line]) => Number(line)))].sort((a, b) => a - b)
  }

  it('holds the entry and what it reaches, and says how to use it', async () => {
    const files = await readdir(installed)
    expect(files).toEqual(
      expect.arrayContaining(['README.md', 'CHANGELOG.md', 'LICENSE', 'index.js', 'index.d.ts', 'contract.d.ts']),
    )
    expect(files).not.toContain('contract.js')
    const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'))
    const ours = JSON.parse(await readFile(join(sdk, 'package.json'), 'utf8'))
    expect(manifest).toMatchObject({
      name: '@pointwise/client-sdk',
      version: ours.version,
      license: 'MIT',
      type: 'module',
      sideEffects: false,
      engines: { node: '>=20' },
      dependencies: ours.dependencies,
    })
    expect(manifest).not.toHaveProperty('private')
  })

  it('brings tRPC and superjson, and nothing of the server', async () => {
    const brought = await readdir(join(consumer, 'node_modules'))
    expect(brought).toEqual(expect.arrayContaining(['@trpc', 'superjson']))
    for (const ours of ['kysely', 'mysql2', 'fastify', 'zod']) expect(brought).not.toContain(ours)
  })

  it(`pulls at most ${PACKAGES_MAX} packages with it, itself counted and TypeScript not`, async () => {
    const lock = JSON.parse(await readFile(join(consumer, 'node_modules', '.package-lock.json'), 'utf8'))
    const pulled = Object.keys(lock.packages).filter(
      (path) => !/^node_modules\/(@typescript\/.*|typescript)$/.test(path),
    )
    expect(pulled).toContain('node_modules/@pointwise/client-sdk')
    expect(pulled.length, pulled.join(', ')).toBeLessThanOrEqual(PACKAGES_MAX)
  })

  it(`puts at most ${BUNDLE_BYTES_MAX} bytes into a browser, gzipped`, async () => {
    await write(
      'page.js',
      "import { createClient } from '@pointwise/client-sdk'\nglobalThis.shop = createClient({ url: '/' })\n",
    )
    const bundle = await rolldown({ input: join(consumer, 'page.js'), platform: 'browser' })
    const { output } = await bundle.generate({ format: 'es', minify: true })
    await bundle.close()
    expect(output).toHaveLength(1)
    expect(output[0].imports).toEqual([])
    const bytes = gzipSync(output[0].code, { level: 9 }).length
    expect(bytes).toBeGreaterThan(5_000)
    expect(bytes).toBeLessThanOrEqual(BUNDLE_BYTES_MAX)
  })

  it('is packed as publint and attw would have it', async () => {
    const { messages } = await publint({ pkgDir: join(folder, 'dist'), strict: true })
    expect(messages).toEqual([])
    const said = await run(join(modules, '.bin', 'attw'), [packed, '--profile', 'esm-only', '--format', 'json'])
    const { problems } = JSON.parse(said.stdout)
    expect(Object.keys(problems)).toEqual(['CJSResolvesToESM'])
  })

  it('shows plain fields where an editor shows a type', async () => {
    const source = await readFile(join(here, 'hover.test-d.ts'), 'utf8')
    await write('consumer.ts', source)
    const shown = hovers(join(consumer, 'consumer.ts'), source)
    expect(shown.length).toBeGreaterThan(5)
    for (const { line, expected, text } of shown) expect(`${line}: ${text}`).toBe(`${line}: ${expected}`)
  })

  it('has declarations that name only tRPC, and leave nothing open', async () => {
    const files = await readdir(installed)
    const declarations = files.filter((file) => file.endsWith('.d.ts'))
    for (const file of declarations) {
      const code = codeOf(await readFile(join(installed, file), 'utf8'))
      const named = [...code.matchAll(/(?:from |import\()['"]([^'"]+)/g)].map(([, specifier = '']) => specifier)
      for (const specifier of named.filter((specifier) => !specifier.startsWith('@trpc/'))) {
        expect(declarations).toContain(specifier.replace(/^\.\//, '').replace(/\.js$/, '.d.ts'))
      }
      expect(code).not.toMatch(/\bany\b/)
    }
  })

  it('needs nothing that only Node has', async () => {
    const programs = (await readdir(installed)).filter((file) => file.endsWith('.js'))
    for (const file of programs) {
      expect(codeOf(await readFile(join(installed, file), 'utf8'))).not.toMatch(
        /node:|\bBuffer\b|\bprocess\b|\brequire\b/,
      )
    }
  })

  describe.each(COMPILERS)('with %s', (compiler) => {
    it('lets right calls compile, and has each wrong one refused at its own line', async () => {
      const lines = (await readFile(join(here, 'types.test-d.ts'), 'utf8')).split('\n')
      const isMark = (line: string) => line.trimStart().startsWith('// @ts-')
      const wrong = lines.flatMap((line, index) => (isMark(line) ? [index + 2] : []))
      const unmarked = lines.map((line) => (isMark(line) ? '' : line)).join('\n')
      expect(wrong.length).toBeGreaterThan(10)
      expect(await linesRefused(compiler, unmarked)).toEqual(wrong)
    })

    it(`costs at most ${INSTANTIATIONS_MAX} instantiations to check a first purchase`, async () => {
      const source = await readFile(join(sdk, 'example', 'first-purchase.ts'), 'utf8')
      const program = source.replace('process.env.TOKEN', "'token'")
      // Without skipLibCheck the compiler checks its own libraries as well, which alone costs five times the bound.
      const said = await compile(compiler, program, '--skipLibCheck', '--extendedDiagnostics')
      expect(said).not.toContain('error TS')
      const instantiations = Number(/^Instantiations: +(\d+)$/m.exec(said)?.[1])
      expect(instantiations).toBeGreaterThan(100)
      expect(instantiations).toBeLessThanOrEqual(INSTANTIATIONS_MAX)
    })
  })

  it('buys from a live server', async () => {
    await using shop = await openShop()
    const { token } = await shop.givenUser({ points: 10_000 })
    const product = await shop.givenProduct({ price: 400, stock: 5 })
    const { stdout } = await run(process.execPath, ['buy.mjs', shop.url, token, String(product.id)], { cwd: consumer })
    expect(JSON.parse(stdout)).toEqual({
      paid: 800,
      balance: 9_200,
      replayed: true,
      left: 3,
      refused: { code: 'stock_insufficient', retry: 'never', productId: product.id, requested: 4, available: 3 },
    })
  })
})

function codeOf(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
}
