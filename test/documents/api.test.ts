import { readFileSync } from 'node:fs'
import { appRouter, REFUSALS, type RefusalCode } from '@pointwise/server'
import { describe, expect, test } from 'vitest'
import { apiPage } from '../../server/scripts/api-page.ts'
import { eventPayloads } from '../../server/src/outbox/event-schemas.ts'
import { tableRows } from './markdown-table.ts'

const page = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8')

const STATUS: Record<(typeof REFUSALS)[RefusalCode]['status'], number> = {
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  UNPROCESSABLE_CONTENT: 422,
  TOO_MANY_REQUESTS: 429,
  SERVICE_UNAVAILABLE: 503,
  GATEWAY_TIMEOUT: 504,
}

describe('docs/api.md', () => {
  test('is the page that npm run docs writes', () => {
    expect(page).toBe(apiPage())
  })

  test('lists every procedure and no other', () => {
    const procedures = Object.keys(appRouter._def.procedures)
    expect(tableRows(page, '| procedure | access | input | output |').map(([procedure]) => procedure)).toEqual(
      procedures,
    )
    const sections = [...page.matchAll(/^### (\w+\.\w+)$/gm)].map(([, procedure]) => procedure)
    expect(sections).toEqual(procedures)
  })

  test('lists every event and no other, with a section for its fields', () => {
    const types = Object.keys(eventPayloads)
    expect(tableRows(page, '| event | key | payload | meaning |').map(([type]) => type)).toEqual(types)
    expect([...page.matchAll(/^#### (\w+\.\w+)$/gm)].map(([, type]) => type)).toEqual(types)
  })

  test('lists every refusal as the catalogue declares it', () => {
    const expected = (Object.keys(REFUSALS) as RefusalCode[]).map((code) => [
      code,
      String(STATUS[REFUSALS[code].status]),
      Object.keys(REFUSALS[code].details).join(', ') || '–',
      REFUSALS[code].retry,
      REFUSALS[code].message,
    ])
    expect(tableRows(page, '| code | HTTP | details | retry | meaning |')).toEqual(expected)
  })
})
