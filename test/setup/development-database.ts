import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { DevelopmentDatabase, FindOptions } from '@pointwise/db/development'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { afterEach, beforeEach, expect, vi } from 'vitest'

/** Where the databases of the test at hand lie. */
export let directory: string
/** The progress that was told in it. */
export let said: string[]
/** What is still to be ended after it. */
export let cleanups: (() => unknown)[]

/** Gives each test of the file that calls this a directory of its own, and ends what is still running after it. */
export function setUpDirectories(): void {
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pointwise-development-'))
    said = []
    cleanups = []
  })
  afterEach(async () => {
    await Promise.all(cleanups.map((end) => end()))
    // The database of an owner that was just killed may still be writing its last files.
    await rm(directory, { recursive: true, force: true, maxRetries: 100 })
  })
}

export function options(overrides: Partial<FindOptions> = {}): FindOptions {
  return { directory, keep: false, database: 'mysql', print: (line) => said.push(line), ...overrides }
}

export async function held(finding: Promise<DevelopmentDatabase>): Promise<DevelopmentDatabase> {
  const database = await finding
  cleanups.push(() => database.stop())
  return database
}

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

export const eventually = (fact: () => void | Promise<void>) => vi.waitFor(fact, { timeout: 30_000, interval: 20 })

export interface Owner {
  process: ChildProcess
  pid: number
  /** Resolves with the first line of standard output that begins so. */
  line: (start: string) => Promise<string>
  /** Resolves with the first line of progress that begins so. */
  progress: (start: string) => Promise<string>
}

export function startOwner(way: 'docker' | 'local', keep: 'yes' | 'no', after: 'wait' | 'leave' = 'wait'): Owner {
  const script = join(import.meta.dirname, '../db/directory-owner.ts')
  // A process group of its own, like a command in a terminal.
  const child = spawn(process.execPath, [script, directory, way, keep, after], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  cleanups.push(() => child.kill('SIGKILL'))
  const reader = (stream: typeof child.stdout) => {
    const lines: string[] = []
    createInterface(stream).on('line', (line) => lines.push(line))
    return async (start: string) => {
      await eventually(() =>
        expect(
          lines.some((line) => line.startsWith(start)),
          lines.join('\n'),
        ).toBe(true),
      )
      return lines.find((line) => line.startsWith(start)) ?? ''
    }
  }
  return { process: child, pid: child.pid ?? 0, line: reader(child.stdout), progress: reader(child.stderr) }
}

export async function owned(owner: Owner): Promise<{ url: string; pidFile: string }> {
  return JSON.parse(await owner.line('{'))
}
