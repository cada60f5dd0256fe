import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { readStaticFiles, type StaticFiles } from '../http/web/static-files.ts'
import type { Storefront } from '../http/web/storefront.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const PAGE = join(ROOT, 'client-sdk/example/storefront')
/** What the page is made of; package.json names the exact version of every package in it. */
const SOURCES = [PAGE, join(ROOT, 'client-sdk/src'), join(ROOT, 'package.json')]

export interface StorefrontBuild extends Pick<Storefront, 'site'> {
  /** Resolves when it is built, could not be built, or was stopped. */
  finished: Promise<void>
  stop: () => Promise<void>
}

interface BuildOptions {
  /** The builds lie here, by the hash of what they were made of. */
  directory?: string
  onFailure: (error: unknown) => void
}

/** Sees to it that there is a build of the page's present sources, beside the work that the process does. */
export function buildStorefront({
  directory = join(ROOT, '.pointwise/storefront'),
  onFailure,
}: BuildOptions): StorefrontBuild {
  const stopping = new AbortController()
  let site: ReturnType<Storefront['site']> = 'being built'
  const finished = presentSite(directory, stopping.signal).then(
    (built) => {
      site = built
    },
    (error) => {
      site = 'not built'
      if (!stopping.signal.aborted) onFailure(error)
    },
  )
  return {
    site: () => site,
    finished,
    stop() {
      stopping.abort()
      return finished
    },
  }
}

async function presentSite(directory: string, signal: AbortSignal): Promise<StaticFiles> {
  const hash = await hashOfSources()
  const folder = join(directory, hash)
  if (!existsSync(folder)) {
    await mkdir(directory, { recursive: true })
    await build(folder, signal)
    const older = (await readdir(directory)).filter((name) => !name.startsWith(hash))
    for (const name of older) await rm(join(directory, name), { recursive: true, force: true })
  }
  return readStaticFiles(folder)
}

/** Into a folder beside, so that whoever finds the folder finds all of it. */
async function build(folder: string, signal: AbortSignal): Promise<void> {
  const unfinished = `${folder}.${process.pid}`
  // Vite is a tool of development, and a process of its own: nothing of it is loaded here.
  const vite = join(dirname(createRequire(join(PAGE, 'index.html')).resolve('vite/package.json')), 'bin/vite.js')
  const options = ['build', '--outDir', unfinished, '--emptyOutDir', '--logLevel', 'error']
  try {
    await promisify(execFile)(process.execPath, [vite, ...options], { cwd: PAGE, signal })
    await rename(unfinished, folder)
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true })
    // Somebody else has built the same meanwhile.
    if (!existsSync(folder)) throw error
  }
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
