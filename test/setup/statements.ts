import type { LogEvent } from 'kysely'

export interface Statement {
  sql: string
  values: readonly unknown[]
}

/** The statements of a log event: one, or those that were sent in one message. */
export function splitStatements({ query: { sql, parameters } }: LogEvent): Statement[] {
  let taken = 0
  return sql.split(';\n').map((one) => {
    const count = one.split('?').length - 1
    taken += count
    return { sql: one, values: parameters.slice(taken - count, taken) }
  })
}

const TEXTS = /'(?:[^'\\]|\\.|'')*'/gs

/**
 * Whether a statement that locks or writes rows contains a subquery. The subquery would read rows as they were before the statement
 * waited for its locks, and Vitess drops the locks.
 */
export function locksWithSubquery(sql: string): boolean {
  if (!/\bselect\b/i.test(sql)) return false
  const statement = sql.replace(TEXTS, "''").trimStart()
  if (/^(insert|replace)\b/i.test(statement)) return /\bselect\b/i.test(statement)
  const locks = /^(with\b.*\b)?(update|delete)\b|\bfor (update|share)\b|\block in share mode\b/is.test(statement)
  return locks && /\(\s*(select|with)\b/i.test(statement)
}
