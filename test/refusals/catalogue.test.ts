import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { REFUSALS } from '@pointwise/server'
import { describe, expect, it } from 'vitest'
import { decisiveRefusals } from '../../server/scripts/decisive-refusals.ts'

const NAME = /\b(?:it|test)(?:\.each\([\s\S]*?\))?\(\s*(['"`])(?<name>.*?)\1/g

/** The names of all tests, as they stand in the sources. */
const names = globSync('**/*.test.ts', { cwd: fileURLToPath(new URL('..', import.meta.url)) })
  .map((path) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8'))
  .flatMap((text) => [...text.matchAll(NAME)].map(({ groups }) => groups?.name ?? ''))

describe('REFUSALS', () => {
  it.each(Object.keys(REFUSALS))('%s is the subject of a test', (code) => {
    expect(names.filter((name) => new RegExp(`\\b${code}\\b`).test(name))).not.toEqual([])
  })

  it('is the source of client-sdk/src/decisive-refusals.ts, which npm run docs writes', () => {
    const file = new URL('../../client-sdk/src/decisive-refusals.ts', import.meta.url)
    expect(readFileSync(file, 'utf8')).toBe(decisiveRefusals())
  })
})
