import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, relative, resolve } from 'node:path'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { type Guard, without } from './guard.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const PACKAGES = ['db', 'server', 'client-sdk']
const COPIED = [...PACKAGES, 'test', 'docs', 'package.json', 'tsconfig.json', 'vitest.config.ts']
const NOT_COPIED = ['node_modules', 'dist']

export interface Outcome {
  passed: number
  /** Each test that failed, by its file and its name; not files that could not be loaded. */
  failed: string[]
  output: string
}

/** A copy of the sources in which guards can be taken away, with databases of its own on a server. */
export class Workshop implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'pointwise-mutations-'))
  readonly #server: string
  readonly #databases = basename(this.#folder).replaceAll('-', '_').toLowerCase()

  constructor(server: string) {
    const { protocol, username, password, host } = new URL(server)
    this.#server = `${protocol}//${[username, password].filter(Boolean).join(':')}@${host}`
    const filter = (path: string) => !NOT_COPIED.includes(basename(path))
    for (const name of COPIED) cpSync(join(ROOT, name), join(this.#folder, name), { recursive: true, filter })
    const modules = join(this.#folder, 'node_modules')
    linkAll(join(ROOT, 'node_modules'), modules)
    mkdirSync(join(modules, '@pointwise'))
    for (const name of PACKAGES) {
      symlinkSync(join(this.#folder, name), join(modules, '@pointwise', name))
      const own = join(ROOT, name, 'node_modules')
      if (existsSync(own)) linkAll(own, join(this.#folder, name, 'node_modules'))
    }
  }

  /** Runs the tests of a guard without the guard. */
  async runWithout(guard: Guard): Promise<Outcome> {
    const file = join(this.#folder, guard.file)
    const source = readFileSync(file, 'utf8')
    writeFileSync(file, without(guard, source))
    const isMigration = guard.file.includes('/migrations/')
    try {
      return await this.run(guard.tests, { databases: isMigration ? 'migrated' : 'kept' })
    } finally {
      if (isMigration) await this.#drop('migrated')
      writeFileSync(file, source)
    }
  }

  /** Runs tests until the first of them fails. */
  async run(tests: string[], { databases = 'kept', workers = 1 } = {}): Promise<Outcome> {
    const report = join(this.#folder, 'report.json')
    rmSync(report, { force: true })
    const vitest = [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', ...tests]
    const options = ['--bail=1', `--maxWorkers=${workers}`, '--reporter=json', `--outputFile=${report}`]
    const child = spawn(process.execPath, [...vitest, ...options], {
      cwd: this.#folder,
      env: {
        ...outside(process.env),
        DATABASE_URL: `${this.#server}/any`,
        TEST_DATABASES: `${this.#databases}_${databases}`,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text
      })
    }
    await once(child, 'close')
    return existsSync(report) ? { ...this.#read(report), output } : { passed: 0, failed: [], output }
  }

  #read(report: string): Omit<Outcome, 'output'> {
    const { numPassedTests, testResults } = JSON.parse(readFileSync(report, 'utf8')) as Report
    const failed = testResults.flatMap(({ name, assertionResults }) =>
      assertionResults
        .filter(({ status }) => status === 'failed')
        .map(({ fullName }) => `${relative(join(this.#folder, 'test'), name)}: ${fullName}`),
    )
    return { passed: numPassedTests, failed }
  }

  async #drop(databases = ''): Promise<void> {
    const prefix = `${this.#databases}_${databases}`
    const connection = await createConnection(this.#server)
    try {
      const [rows] = await connection.query<RowDataPacket[]>('show databases')
      for (const name of rows.map(({ Database }) => String(Database)).filter((name) => name.startsWith(prefix))) {
        await connection.query('drop database ??', [name])
      }
    } finally {
      await connection.end()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#drop()
    rmSync(this.#folder, { recursive: true })
  }
}

/** What vitest's JSON reporter writes. */
interface Report {
  numPassedTests: number
  testResults: { name: string; assertionResults: { status: string; fullName: string }[] }[]
}

/** The environment as it is outside of a test. */
function outside(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !name.startsWith('VITEST') && !/^(POINTWISE_|NODE_ENV$)/.test(name)),
  )
}

/** Links to everything in a folder but our own packages, which link to the folder's own sources. */
function linkAll(from: string, to: string): void {
  mkdirSync(to)
  for (const name of readdirSync(from)) {
    if (name !== '@pointwise') symlinkSync(join(from, name), join(to, name))
  }
}
