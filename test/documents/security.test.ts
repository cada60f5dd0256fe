import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const page = read('docs/security.md')

describe('docs/security.md', () => {
  test('lists the limits that the code has', () => {
    const [, limits = ''] = /## Limits\n([\s\S]*?)\n## /.exec(page) ?? []
    const stated = [...limits.matchAll(/`([^`]*(?: = |: |\().*?)`/g)].map(([, text = '']) => text)
    const code = globSync(['server/src/**/*.ts', 'db/src/**/*.ts'], { cwd: ROOT }).map(read).join('\n')

    expect(stated.length).toBeGreaterThan(15)
    expect(stated.filter((text) => !code.includes(text))).toEqual([])
  })

  test('lists the privileges that the database user needs; no statement deletes except from events', () => {
    const code = globSync(['server/src/**/*.ts', 'db/src/**/*.ts'], { cwd: ROOT }).map(read).join('\n')
    expect(page).toContain('`SELECT, INSERT, UPDATE` on its own database')
    expect(page).toContain('which needs `DELETE` on `events`')
    expect(code.replace("deleteFrom('events')", '').replace("'delete from events'", '')).not.toMatch(
      /\b(deleteFrom|replaceInto|mergeInto)\(|\b(delete from|truncate|replace into|drop table)\b/i,
    )
  })

  test('the start check tries each kind of write that the code has', () => {
    const files = globSync('server/src/**/*.ts', { cwd: ROOT })
    const tables = (pattern: RegExp) =>
      files.flatMap((file) => [...read(file).matchAll(pattern)].map(([, table = '']) => table))
    const check = read('db/src/access-check.ts')
    const updated = [...check.matchAll(/^ {2}(\w+): '\w+',$/gm)].map(([, table]) => table)
    const written = tables(/(?:updateTable\(|insertInto\((?=[^;]*onDuplicateKeyUpdate))'(\w+)'/g)
    expect([...new Set(written)].toSorted()).toEqual(updated.toSorted())
  })

  test('has a row for each of the ten OWASP risks', () => {
    expect([...page.matchAll(/^\| (\d+) /gm)].map(([, number]) => Number(number))).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    ])
  })
})
