import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { CHECKS } from '../../server/src/audit/check-catalogue.ts'
import { UNSEEN } from './unseen-corruptions.ts'

const PAGE = readFileSync(new URL('../../docs/audit.md', import.meta.url), 'utf8')

test('docs/audit.md lists every check with its statement', () => {
  const rows = [...PAGE.matchAll(/^\| `(\w+)` \| (.*?) \|/gm)].map(([, name, statement]) => [name, statement])
  expect(rows).toEqual(Object.entries(CHECKS))
})

test('docs/audit.md lists every change that the tests make without a finding', () => {
  const section = PAGE.split('## Cannot be seen from the rows alone\n')[1]?.split('\n## ')[0] ?? ''
  const items = section.split('\n- ').slice(1)
  expect(items.map((item) => item.trim().replaceAll(/\s+/g, ' '))).toEqual(UNSEEN.map(({ sentence }) => sentence))
})
