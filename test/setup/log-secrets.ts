import { expect } from 'vitest'

/** What no line of a log may hold, whoever caused it. */
const SECRETS: Record<string, RegExp> = {
  'a token': /\beyJ[\w-]{4,}\.|bearer /i,
  'an idempotency key': /[\da-f]{8}-[\da-f]{4}-[1-8][\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}/i,
  'the input of a query': /"path":"[^"]*\?/,
  'a statement': /\b(insert into \S+ \(|delete from |select .{1,500} from |update \S+ set |values \([\d'])/i,
  'a secret': /a secret of at least/,
}
const WARNING = 40
/** Shorter values, such as a status, are words that a line may use. */
const VALUE_LENGTH_MIN = 8

/**
 * The lines of a server's log tell no token, key, input, statement or secret, and none that tells of trouble tells a text
 * that was sent to the database. A request's own id is no key.
 */
export function expectNoSecrets(lines: readonly string[], values: ReadonlySet<unknown> = new Set()): void {
  const told = lines.map(withoutRandomValues)
  const text = told.join('')
  for (const [what, pattern] of Object.entries(SECRETS)) {
    expect(pattern.exec(text)?.[0], `the log tells ${what}`).toBeUndefined()
  }
  const trouble = told.filter((line) => Number(/"level":(\d+)/.exec(line)?.[1]) >= WARNING).join('')
  if (trouble === '') return
  const leaked = [...values].filter(
    (value) => typeof value === 'string' && value.length >= VALUE_LENGTH_MIN && trouble.includes(value),
  )
  expect(leaked, 'the log tells values of statements').toEqual([])
}

/** Of a log: all but what is another at each run, and may hold any digits or look like a key. */
export function withoutRandomValues(log: string): string {
  return log.replace(/"(requestId|time|responseTime)":("[^"]*"|[\d.]+)/g, '')
}
