import { expect } from 'vitest'

/** What no log line may contain. */
const SECRETS: Record<string, RegExp> = {
  'a token': /\beyJ[\w-]{4,}\.|bearer /i,
  'an idempotency key': /[\da-f]{8}-[\da-f]{4}-[1-8][\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}/i,
  'the input of a query': /"path":"[^"]*\?/,
  'a statement': /\b(insert into \S+ \(|delete from |select .{1,500} from |update \S+ set |values \([\d'])/i,
  'a secret': /a secret of at least/,
}
const WARNING = 40
/** Shorter values, such as a status, are words that a log line may contain. */
const VALUE_LENGTH_MIN = 8

/**
 * Asserts that a server's log contains no token, key, input, statement or secret, and that no line of level `warn` or above
 * contains a string that was sent to the database. A request id is not a key.
 */
export function expectNoSecrets(lines: readonly string[], values: ReadonlySet<unknown> = new Set()): void {
  const redacted = lines.map(withoutRandomValues)
  const text = redacted.join('')
  for (const [what, pattern] of Object.entries(SECRETS)) {
    expect(pattern.exec(text)?.[0], `the log contains ${what}`).toBeUndefined()
  }
  const warnings = redacted.filter((line) => Number(/"level":(\d+)/.exec(line)?.[1]) >= WARNING).join('')
  if (warnings === '') return
  const leaked = [...values].filter(
    (value) => typeof value === 'string' && value.length >= VALUE_LENGTH_MIN && warnings.includes(value),
  )
  expect(leaked, 'the log contains values of statements').toEqual([])
}

/** The log without request ids and times, which differ at each run and can look like a key. */
export function withoutRandomValues(log: string): string {
  return log.replace(/"(requestId|time|responseTime)":("[^"]*"|[\d.]+)/g, '')
}
