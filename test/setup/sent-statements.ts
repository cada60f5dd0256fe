import { tracingChannel } from 'node:diagnostics_channel'
import { fileURLToPath } from 'node:url'
import { afterAll, expect } from 'vitest'
import { locksWithSubquery } from './statements.ts'

/*
 * Asserts after each test file that this process has sent no statement that locks with a subquery, on whichever connection, except
 * statements that a test has written itself.
 */

/** Under READ COMMITTED it does not lock the row that it reads, and it must not: the lease of a suspended process blocks no other. */
const WITHOUT_LOCK =
  /^insert ignore into `outbox_cursors` \(`name`, `position`\) select '[^']*' as `name`, `position` from/

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url))

interface Findings {
  isSubscribed: boolean
  statements: Set<string>
}

// Test files of a worker share its modules, and each loads this one again.
const worker: typeof globalThis & { sentStatements?: Findings } = globalThis
worker.sentStatements ??= { isSubscribed: false, statements: new Set() }
const findings = worker.sentStatements

if (!findings.isSubscribed) {
  findings.isSubscribed = true
  tracingChannel('mysql2:query').start.subscribe((message) => {
    const { query } = message as { query: string }
    if (!query.includes('select')) return
    const found = query.split(';\n').filter((sql) => locksWithSubquery(sql) && !WITHOUT_LOCK.test(sql))
    if (found.length > 0 && !isSentByTest()) for (const sql of found) findings.statements.add(sql)
  })
}

/** Whether a test sends a statement, and not the server that it calls. */
function isSentByTest(): boolean {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 100
  const { stack = '' } = new Error()
  Error.stackTraceLimit = stackTraceLimit
  const paths = stack.split(REPOSITORY).slice(1)
  const [caller] = paths.filter((path) => /^(server\/src|test)\/(?!setup\/sent-statements)/.test(path))
  return caller?.startsWith('test/') ?? false
}

afterAll(() => {
  const sent = [...findings.statements]
  findings.statements.clear()
  expect(sent, 'statements that lock with a subquery').toEqual([])
})
