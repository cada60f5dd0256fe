import { execFileSync } from 'node:child_process'
import { copyFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/*
 * Builds the published package: `node client-sdk/build/build.ts [folder]`. The default folder is `client-sdk/dist`.
 * The package contains the modules that the entry points import, directly or indirectly, and no others. The build fails if
 * one of them imports or mentions anything of the server.
 */

/** The entry point whose modules import no package, so that a consumer of events loads nothing else. */
const STANDALONE_ENTRY = './events'

/** The packages that the published modules may import at run time. */
const RUNTIME_PACKAGES = /^(@trpc\/|superjson$|eventsource-parser$)/
/** The packages that the published declarations may import. */
const TYPE_PACKAGES = /^@trpc\//
const NO_PACKAGE = /(?!)/
const SERVER_ONLY_NAMES = /\b([Kk]ysely|[Ff]astify|[Mm]ysql2?|[Zz]od|[Pp]ino|[Jj]ose|Context|Tables|Buffer|process)\b/

const sdk = fileURLToPath(new URL('..', import.meta.url))
const root = fileURLToPath(new URL('../..', import.meta.url))
const target = resolve(process.argv[2] ?? join(sdk, 'dist'))
const source = JSON.parse(await readFile(join(sdk, 'package.json'), 'utf8'))
/** The path and the module of each entry point, such as `./events` and `events`. */
const entries = Object.entries<string>(source.exports).map(([path, file]) => ({ path, name: basename(file, '.ts') }))

const temporary = await mkdtemp(join(tmpdir(), 'pointwise-sdk-'))
const compiled = join(temporary, 'compiled')
const output = join(temporary, 'package')
try {
  compile()
  await mkdir(output)
  for (const { path, name } of entries) {
    await copyModules(name, '.js', path === STANDALONE_ENTRY ? NO_PACKAGE : RUNTIME_PACKAGES)
    await copyModules(name, '.d.ts', path === STANDALONE_ENTRY ? NO_PACKAGE : TYPE_PACKAGES)
  }
  await writeFile(join(output, 'package.json'), `${JSON.stringify(manifest(), null, 2)}\n`)
  await copyFile(join(sdk, 'README.md'), join(output, 'README.md'))
  await copyFile(join(sdk, 'CHANGELOG.md'), join(output, 'CHANGELOG.md'))
  await copyFile(join(root, 'LICENSE'), join(output, 'LICENSE'))
  await rm(target, { recursive: true, force: true })
  await cp(output, target, { recursive: true })
} finally {
  await rm(temporary, { recursive: true, force: true })
}
process.stdout.write(`Built the package in ${target}\n`)

function compile(): void {
  const tsc = fileURLToPath(new URL('bin/tsc', import.meta.resolve('typescript/package.json')))
  execFileSync(process.execPath, [tsc, '-p', join(sdk, 'build', 'tsconfig.json'), '--outDir', compiled], {
    stdio: 'inherit',
  })
}

/** Copies an entry point and every module that it imports, directly or indirectly. */
async function copyModules(entry: string, extension: '.js' | '.d.ts', packages: RegExp): Promise<void> {
  const names = new Set([entry])
  for (const name of names) {
    const emitted = await readFile(join(compiled, 'client-sdk', 'src', name + extension), 'utf8')
    // The compiler rewrites the extensions of imports in JavaScript, but not in declarations.
    const text = emitted.replace(/(?<=from '\.\/[\w-]+)\.ts(?=')/g, '.js')
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
    verifyModule(name + extension, code, packages)
    for (const [, imported] of code.matchAll(/from '\.\/([\w-]+)\.js'/g)) if (imported) names.add(imported)
    await writeFile(join(output, name + extension), text)
  }
}

/** Throws if a module imports a package that is not allowed, mentions the server's internals, or has the type `any`. */
function verifyModule(file: string, code: string, packages: RegExp): void {
  for (const [, specifier = ''] of code.matchAll(/(?:from |import\(|import |require\()['"]([^'"]+)['"]/g)) {
    if (!packages.test(specifier) && !/^\.\/[\w-]+\.js$/.test(specifier)) fail(file, `imports ${specifier}`)
  }
  const name = SERVER_ONLY_NAMES.exec(code)
  if (name) fail(file, `mentions ${name[0]}, which only the server has`)
  if (file.endsWith('.d.ts') && /\bany\b/.test(code)) fail(file, 'contains the type any')
  if (file === 'contract.js') fail(file, 'is imported at run time, but may be imported as a type only')
}

function fail(file: string, problem: string): never {
  throw new Error(`The package cannot be published: ${file} ${problem}.`)
}

function manifest(): object {
  const { name, version, description, keywords, homepage, bugs, repository, license, author, dependencies } = source
  return {
    name,
    version,
    description,
    keywords,
    homepage,
    bugs,
    repository,
    license,
    author,
    type: 'module',
    sideEffects: false,
    engines: { node: '>=20' },
    exports: Object.fromEntries(
      entries.map(({ path, name: module }) => [path, { types: `./${module}.d.ts`, default: `./${module}.js` }]),
    ),
    files: ['*.js', '*.d.ts', 'CHANGELOG.md'],
    dependencies,
  }
}
