import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { StorefrontBuildState } from '../http/web/storefront.ts'
import { DATA_DIRECTORY } from './data-directory.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const STOREFRONT = join(ROOT, 'client-sdk/example/storefront')
/** Everything that a build depends on. package.json pins the exact version of every package in it. */
const SOURCES = [STOREFRONT, join(ROOT, 'client-sdk/src'), join(ROOT, 'package.json')]
/** How many recent builds are left in the directory, because another process can still be serving an older one. */
const RECENT_BUILDS = 10

export interface StorefrontBuild {
  state: () => StorefrontBuildState
  /** Resolves when the build has finished, has failed or was stopped. Never rejects. */
  finished: Promise<void>
  stop: () => Promise<void>
}

interface BuildOptions {
  /** Where builds are stored, each in a directory that is named by the hash of its sources. */
  directory?: string
  onFailure: (error: unknown) => void
}

/** Builds the storefront from its current sources in the background, unless that build already exists. */
export function buildStorefront({
  directory = join(DATA_DIRECTORY, 'storefront'),
  onFailure,
}: BuildOptions): StorefrontBuild {
  const stopping = new AbortController()
  let state: StorefrontBuildState = 'building'
  const finished = ensureBuild(directory, stopping.signal).then(
    (build) => {
      state = { directory: build }
    },
    (error) => {
      state = 'failed'
      if (!stopping.signal.aborted) onFailure(error)
    },
  )
  return {
    state: () => state,
    finished,
    stop() {
      stopping.abort()
      return finished
    },
  }
}

/** Returns the directory of the build of the current sources. */
async function ensureBuild(directory: string, signal: AbortSignal): Promise<string> {
  const build = join(directory, await hashOfSources())
  if (existsSync(build)) {
    const now = new Date()
    await utimes(build, now, now)
  } else {
    await mkdir(directory, { recursive: true })
    await runVite(build, signal)
    await removeOldBuilds(directory)
  }
  return build
}

/** Builds into a temporary directory and renames it, so that a build directory that exists is complete. */
async function runVite(build: string, signal: AbortSignal): Promise<void> {
  const temporary = `${build}.${process.pid}`
  // Vite is a development dependency: it runs in a process of its own, and the server never imports it.
  const vite = join(dirname(createRequire(join(STOREFRONT, 'index.html')).resolve('vite/package.json')), 'bin/vite.js')
  const options = ['build', '--outDir', temporary, '--emptyOutDir', '--logLevel', 'error']
  try {
    await promisify(execFile)(process.execPath, [vite, ...options], { cwd: STOREFRONT, signal })
    await rename(temporary, build)
  } catch (error) {
    await rm(temporary, { recursive: true, force: true })
    // The rename fails when another process has finished the same build first.
    if (!existsSync(build)) throw error
  }
}

async function removeOldBuilds(directory: string): Promise<void> {
  const builds = await Promise.all(
    (await readdir(directory)).map(async (name) => {
      const path = join(directory, name)
      // Another process can remove the same build at the same time.
      return {
        path,
        time: await stat(path).then(
          ({ mtimeMs }) => mtimeMs,
          () => 0,
        ),
      }
    }),
  )
  const old = builds.toSorted((a, b) => b.time - a.time).slice(RECENT_BUILDS)
  for (const { path } of old) await rm(path, { recursive: true, force: true })
}

async function hashOfSources(): Promise<string> {
  const hash = createHash('sha256')
  for (const source of SOURCES) {
    for (const file of await filesUnder(source)) {
      hash.update(`${relative(ROOT, file)}\0`).update(await readFile(file))
    }
  }
  return hash.digest('hex').slice(0, 16)
}

async function filesUnder(path: string): Promise<string[]> {
  if (path.endsWith('.json')) return [path]
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((file) => !relative(path, file).startsWith('dist'))
    .toSorted()
}
