import { basename } from 'node:path'
import { describe, expect, test } from 'vitest'
import { functionsOf } from './functions.ts'
import { SLICES } from './import-rules.ts'
import { all, pathsOf, type Source, tests } from './sources.ts'

const MAX_FILE_LINES = 300
const MAX_FUNCTION_LINES = 70

/** Base names that several slices share, because they state the role of the file. */
const ROLES = ['router.ts', 'service.ts', 'queries.ts', 'examples.ts']

const SLICE = `(?:${Object.keys(SLICES).join('|')})`
const PACKAGES = [
  /^db\//,
  /^server\//,
  /^client-sdk\/(?!example\/)/,
  /^client-sdk\/example\//,
  new RegExp(`^test/(?!${SLICE}/)`),
]

describe('files', () => {
  test('have a name that describes their content', () => {
    const vague = /(^|\/)(utils?|common|helpers?|lib|types|misc|shared|constants)(\/|\.(?!test-d))/
    expect(pathsOf(all, ({ path }) => vague.test(path))).toEqual([])
  })

  test('have a base name that is unique in their package, except for the roles of a slice and the tests of its procedures', () => {
    const repeated = PACKAGES.flatMap((folder) => {
      const named = all.filter(({ path }) => folder.test(path) && !ROLES.includes(basename(path)))
      return [...Map.groupBy(named, ({ path }) => basename(path)).values()].filter(({ length }) => length > 1)
    })
    expect(repeated.map((sources) => sources.map(({ path }) => path).join(', '))).toEqual([])
  })

  test(`have at most ${MAX_FILE_LINES} lines`, () => {
    expect(pathsOf(all, ({ text }) => text.trimEnd().split('\n').length > MAX_FILE_LINES)).toEqual([])
  })

  test(`contain functions of at most ${MAX_FUNCTION_LINES} lines`, () => {
    const long = all
      .flatMap(functionsOf)
      .filter(({ lines, isTestGroup }) => lines > MAX_FUNCTION_LINES && !isTestGroup)
      .map(({ path, line, lines }) => `${path}:${line} (${lines} lines)`)
    expect(long).toEqual([])
  })

  test('contain no unfinished work', () => {
    const unfinished = /\b(?:TODO|FIXME|XXX)\b/
    const isThisFile = (path: string) => path === 'test/architecture/files.test.ts'
    expect(pathsOf(all, ({ path, text }) => !isThisFile(path) && unfinished.test(text))).toEqual([])
  })

  test('suppress compiler errors only in type tests', () => {
    const isExempt = (path: string) => path.endsWith('.test-d.ts') || path === 'test/architecture/files.test.ts'
    expect(pathsOf(all, ({ path, text }) => !isExempt(path) && /@ts-(ignore|nocheck|expect-error)/.test(text))).toEqual(
      [],
    )
  })

  test('declare error classes with names that end in Error', () => {
    const classes = ({ path, code }: Source) =>
      [...code.matchAll(/\bclass (\w+)(?:<[^{]*>)? extends (\w*Error)\b/g)].map(([, name]) => `${path}: ${name}`)
    const names = all.flatMap(classes)
    expect(names.length).toBeGreaterThan(8)
    // A refusal is an answer of the business rules, not an error of the server.
    expect(names.filter((name) => !name.endsWith('Error'))).toEqual(['server/src/refusals.ts: Refusal'])
  })
})

test('a test file lies in a folder of test/', () => {
  expect(pathsOf(tests, ({ path }) => /^test\/[^/]+\.ts$/.test(path))).toEqual([])
})
