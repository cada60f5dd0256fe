import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const ROOT = resolve(import.meta.dirname, '../..')

export interface Source {
  /** Relative to the root, such as `server/src/orders/service.ts`. */
  path: string
  text: string
  /** The text without comments. */
  code: string
}

export const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

function sourcesIn(folder: string): Source[] {
  return globSync(`${folder}/**/*.{ts,tsx,mjs}`, { cwd: ROOT, exclude: ['**/node_modules', '**/dist'] })
    .toSorted()
    .map((path) => {
      const text = read(path)
      return { path, text, code: text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '') }
    })
}

export const db = sourcesIn('db')
export const server = sourcesIn('server')
export const sdk = sourcesIn('client-sdk')
export const tests = sourcesIn('test')
export const all = [...db, ...server, ...sdk, ...tests]

/** The paths of the sources that match a condition. */
export const pathsOf = (sources: Source[], condition: (source: Source) => unknown): string[] =>
  sources.filter(condition).map(({ path }) => path)
