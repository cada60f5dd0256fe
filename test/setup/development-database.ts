import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { DevelopmentDatabase, FindOptions } from '@pointwise/db/development'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { afterEach, beforeEach } from 'vitest'
import { thisHost } from '../../db/development/host-environment.ts'
import { startPrivately } from '../../db/development/local-provider.ts'
import { findServerBinaries, type ServerBinary } from '../../db/development/server-binaries.ts'
import { eventually } from './eventually.ts'

/** The database servers that are installed on this host and work. */
export async function installedServers(): Promise<ServerBinary[]> {
  return (await findServerBinaries(thisHost().programFolders)).usable
}

export interface PrivateServer extends AsyncDisposable {
  /** The URL of the database `shop`, which does not exist yet. */
  url: string
  /** The directory of its files. */
  directory: string
}

/**
 * Starts a server with these settings. `settings` gets the directory of the server, in which it can write files that the
 * server reads.
 */
export async function startServer(
  binary: ServerBinary,
  settings: string[] | ((directory: string) => Promise<string[]>),
): Promise<PrivateServer> {
  const directory = await mkdtemp(join(tmpdir(), 'pointwise-server-'))
  const server = await startPrivately(binary, {
    directory,
    keep: false,
    database: 'shop',
    settings: typeof settings === 'function' ? await settings(directory) : settings,
    print: () => undefined,
  })
  return {
    url: server.url,
    directory,
    async [Symbol.asyncDispose]() {
      await server.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** The directory in which the current test stores its databases. */
export let directory: string
/** The progress messages that were printed during the current test. */
export let printed: string[]
let cleanups: (() => unknown)[]

/** Gives each test of a file a directory of its own, and stops the databases and processes that it started. */
export function setUpDirectories(): void {
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pointwise-development-'))
    printed = []
    cleanups = []
  })
  afterEach(async () => {
    await Promise.all(cleanups.map((cleanUp) => cleanUp()))
    // The database of an owner that was killed may still be writing its last files.
    await rm(directory, { recursive: true, force: true, maxRetries: 100 })
  })
}

export function options(overrides: Partial<FindOptions> = {}): FindOptions {
  return { directory, keep: false, database: 'mysql', print: (line) => printed.push(line), ...overrides }
}

/** Resolves with a database that is stopped after the test. */
export async function stopAfterTest(starting: Promise<DevelopmentDatabase>): Promise<DevelopmentDatabase> {
  const database = await starting
  cleanups.push(() => database.stop())
  return database
}

/** Runs statements on one connection, and returns the rows of the last one. */
export async function query(url: string, ...statements: string[]): Promise<RowDataPacket[]> {
  const connection = await createConnection(url)
  try {
    let rows: RowDataPacket[] = []
    for (const statement of statements) [rows] = await connection.query<RowDataPacket[]>(statement)
    return rows
  } finally {
    await connection.end()
  }
}

export async function readPid(pidFile: string): Promise<number> {
  return Number(await readFile(pidFile, 'utf8'))
}

export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** A process that starts a database and owns it. */
export interface Owner {
  process: ChildProcess
  pid: number
  /** Resolves with the first line of standard output that starts with this text. */
  line: (start: string) => Promise<string>
  /** Resolves with the first progress message that starts with this text. */
  progress: (start: string) => Promise<string>
}

export function startOwner(provider: 'docker' | 'local', keep: 'yes' | 'no', after: 'wait' | 'leave' = 'wait'): Owner {
  const script = join(import.meta.dirname, '../db/directory-owner.ts')
  // A process group of its own, like a command in a terminal.
  const child = spawn(process.execPath, [script, directory, provider, keep, after], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  cleanups.push(() => child.kill('SIGKILL'))
  const reader = (stream: typeof child.stdout) => {
    const lines: string[] = []
    createInterface(stream).on('line', (line) => lines.push(line))
    return async (start: string) => {
      const find = () => lines.find((line) => line.startsWith(start))
      await eventually(find).toBeDefined()
      return find() ?? ''
    }
  }
  return { process: child, pid: child.pid ?? 0, line: reader(child.stdout), progress: reader(child.stderr) }
}

/** The database that an owner has started. */
export async function databaseOf(owner: Owner): Promise<{ url: string; pidFile: string }> {
  return JSON.parse(await owner.line('{'))
}
