import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { CHECKS } from '../../server/src/audit/check-catalogue.ts'

const PAGE = readFileSync(new URL('../../docs/audit.md', import.meta.url), 'utf8')

test('docs/audit.md lists every check with its statement', () => {
  const rows = [...PAGE.matchAll(/^\| `(\w+)` \| (.*?) \|/gm)].map(([, name, statement]) => [name, statement])
  expect(rows).toEqual(Object.entries(CHECKS))
})
