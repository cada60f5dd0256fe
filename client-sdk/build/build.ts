import { execFileSync } from 'node:child_process'
import { copyFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/*
 * Builds the package that is published: `node client-sdk/build/build.ts [folder]`, into `client-sdk/dist` unless a folder
 * is named. It ships what the entry reaches and nothing else, and fails where a declaration would tell of the server.
 */

const sdk = fileURLToPath(new URL('..', import.meta.url))
const root = fileURLToPath(new URL('../..', import.meta.url))
const target = resolve(process.argv[2] ?? join(sdk, 'dist'))

const workshop = await mkdtemp(join(tmpdir(), 'pointwise-sdk-'))
const emitted = join(workshop, 'emitted')
const made = join(workshop, 'package')
try {
  compile()
  await mkdir(made)
  await ship('.js')
  await ship('.d.ts')
  await writeFile(join(made, 'package.json'), `${JSON.stringify(await manifest(), null, 2)}\n`)
  await copyFile(join(sdk, 'README.md'), join(made, 'README.md'))
  await copyFile(join(sdk, 'CHANGELOG.md'), join(made, 'CHANGELOG.md'))
  await copyFile(join(root, 'LICENSE'), join(made, 'LICENSE'))
  await rm(target, { recursive: true, force: true })
  await cp(made, target, { recursive: true })
} finally {
  await rm(workshop, { recursive: true, force: true })
}
process.stdout.write(`Built ${target}\n`)

function compile(): void {
  const tsc = fileURLToPath(new URL('bin/tsc', import.meta.resolve('typescript/package.json')))
  execFileSync(process.execPath, [tsc, '-p', join(sdk, 'build', 'tsconfig.json'), '--outDir', emitted], {
    stdio: 'inherit',
  })
}

/** Copies the entry and, file by file, what it imports. */
async function ship(extension: '.js' | '.d.ts'): Promise<void> {
  const reached = new Set(['index'])
  for (const name of reached) {
    const written = await readFile(join(emitted, 'client-sdk', 'src', name + extension), 'utf8')
    // The compiler rewrites the extension of imports in programs, not in declarations.
    const text = written.replace(/(?<=from '\.\/[\w-]+)\.ts(?=')/g, '.js')
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
    refuseStrangers(name + extension, code)
    for (const [, next] of code.matchAll(/from '\.\/([\w-]+)\.js'/g)) if (next) reached.add(next)
    await writeFile(join(made, name + extension), text)
  }
}

/** Nothing but tRPC and superjson may be needed, no type may be left open, and nothing of the server may show. */
function refuseStrangers(file: string, code: string): void {
  const packages = file.endsWith('.d.ts') ? /^@trpc\// : /^(@trpc\/|superjson$)/
  for (const [, specifier = ''] of code.matchAll(/(?:from |import\(|import |require\()['"]([^'"]+)['"]/g)) {
    if (!packages.test(specifier) && !/^\.\/[\w-]+\.js$/.test(specifier)) fail(file, `imports ${specifier}`)
  }
  const word = /\b(kysely|fastify|mysql2?|zod|pino|jose|Context|Tables|Buffer|process)\b/i.exec(code)
  if (word) fail(file, `names ${word[0]}`)
  if (file.endsWith('.d.ts') && /\bany\b/.test(code)) fail(file, 'has the type any')
  if (file === 'contract.js') fail(file, 'would run: it may only be imported as a type')
}

function fail(file: string, what: string): never {
  throw new Error(`The package must not be built: ${file} ${what}.`)
}

async function manifest(): Promise<object> {
  const { name, version, description, dependencies } = await packageJson(sdk)
  const { license } = await packageJson(root)
  return {
    name,
    version,
    description,
    license,
    type: 'module',
    sideEffects: false,
    engines: { node: '>=20' },
    exports: { '.': { types: './index.d.ts', default: './index.js' } },
    files: ['*.js', '*.d.ts', 'CHANGELOG.md'],
    dependencies,
  }
}

async function packageJson(folder: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
}
