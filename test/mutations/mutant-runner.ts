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
import { type Guard, removeGuard } from './guard.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const PACKAGES = ['db', 'server', 'client-sdk']
const INCLUDED = [...PACKAGES, 'test', 'docs', 'package.json', 'tsconfig.json', 'vitest.config.ts']
const EXCLUDED = ['node_modules', 'dist']

export interface RunResult {
  passed: number
  /** The file and name of each test that failed. A file that could not be loaded is not a failed test. */
  failed: string[]
  output: string
}

/** Runs tests on mutants: copies of the sources without a guard. It has its own copy, and its own databases on a server. */
export class MutantRunner implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'pointwise-mutations-'))
  readonly #server: string
  readonly #databasePrefix = basename(this.#folder).replaceAll('-', '_').toLowerCase()

  constructor(server: string) {
    const { protocol, username, password, host } = new URL(server)
    this.#server = `${protocol}//${[username, password].filter(Boolean).join(':')}@${host}`
    const filter = (path: string) => !EXCLUDED.includes(basename(path))
    for (const name of INCLUDED) cpSync(join(ROOT, name), join(this.#folder, name), { recursive: true, filter })
    const modules = join(this.#folder, 'node_modules')
    linkAll(join(ROOT, 'node_modules'), modules)
    mkdirSync(join(modules, '@pointwise'))
    for (const name of PACKAGES) {
      symlinkSync(join(this.#folder, name), join(modules, '@pointwise', name))
      const packageModules = join(ROOT, name, 'node_modules')
      if (existsSync(packageModules)) linkAll(packageModules, join(this.#folder, name, 'node_modules'))
    }
  }

  /** Runs the tests of a guard on the mutant without it. A mutant of a migration has its own databases. */
  async runMutant(guard: Guard): Promise<RunResult> {
    const file = join(this.#folder, guard.file)
    const source = readFileSync(file, 'utf8')
    writeFileSync(file, removeGuard(guard, source))
    const isMigration = guard.file.includes('/migrations/')
    try {
      return await this.run(guard.tests, { databases: isMigration ? 'migrated' : 'shared' })
    } finally {
      if (isMigration) await this.#drop('migrated')
      writeFileSync(file, source)
    }
  }

  /** Runs test files and stops after the first test that fails. */
  async run(tests: string[], { databases = 'shared', workers = 1 } = {}): Promise<RunResult> {
    const report = join(this.#folder, 'report.json')
    rmSync(report, { force: true })
    const vitest = [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--mode=mutants', ...tests]
    const options = ['--bail=1', `--maxWorkers=${workers}`, '--reporter=json', `--outputFile=${report}`]
    const child = spawn(process.execPath, [...vitest, ...options], {
      cwd: this.#folder,
      env: {
        ...withoutVitest(process.env),
        DATABASE_URL: `${this.#server}/unused`,
        TEST_DATABASES: `${this.#databasePrefix}_${databases}`,
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

  #read(report: string): Omit<RunResult, 'output'> {
    const { numPassedTests, testResults } = JSON.parse(readFileSync(report, 'utf8')) as Report
    const failed = testResults.flatMap(({ name, assertionResults }) =>
      assertionResults
        .filter(({ status }) => status === 'failed')
        .map(({ fullName }) => `${relative(join(this.#folder, 'test'), name)}: ${fullName}`),
    )
    return { passed: numPassedTests, failed }
  }

  async #drop(databases = ''): Promise<void> {
    const prefix = `${this.#databasePrefix}_${databases}`
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

/** The part of the report of Vitest's JSON reporter that is used here. */
interface Report {
  numPassedTests: number
  testResults: { name: string; assertionResults: { status: string; fullName: string }[] }[]
}

/** The environment without the variables that Vitest and the configuration of this suite set. */
function withoutVitest(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(
      ([name]) => !name.startsWith('VITEST') && !/^(POINTWISE_|NODE_ENV$|TEST_SUITE$)/.test(name),
    ),
  )
}

/** Links to the installed packages, except the packages of this repository, of which the copy is used. */
function linkAll(from: string, to: string): void {
  mkdirSync(to)
  for (const name of readdirSync(from)) {
    if (name !== '@pointwise') symlinkSync(join(from, name), join(to, name))
  }
}
