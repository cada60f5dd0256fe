import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { removeGuard } from './guard.ts'
import { GUARDS } from './guard-table.ts'

const ROOT = resolve(import.meta.dirname, '../..')

test.each(GUARDS)('The source contains the guard once, and its test files exist: $name', (guard) => {
  const source = readFileSync(join(ROOT, guard.file), 'utf8')
  expect(removeGuard(guard, source)).not.toBe(source)
  expect(guard.tests.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
})

test('Every guard has a unique name', () => {
  expect(new Set(GUARDS.map(({ name }) => name)).size).toBe(GUARDS.length)
})
