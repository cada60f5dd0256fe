import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { without } from './guard.ts'
import { GUARDS } from './guard-table.ts'

const ROOT = resolve(import.meta.dirname, '../..')

test.each(GUARDS)('the table of guards knows where this one is, and its tests: $name', (guard) => {
  const source = readFileSync(join(ROOT, guard.file), 'utf8')
  expect(without(guard, source)).not.toBe(source)
  expect(guard.tests.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
})

test('every guard has a name of its own', () => {
  expect(new Set(GUARDS.map(({ name }) => name)).size).toBe(GUARDS.length)
})
