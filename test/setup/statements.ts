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

/**
 * Whether a statement that locks rows contains a subquery. The subquery would read rows as they were before the statement waited
 * for its locks, and Vitess drops the locks.
 */
export function locksWithSubquery(sql: string): boolean {
  const locks = /^(update|delete) |\bfor (update|share)\b|\block in share mode\b/i.test(sql)
  return locks && /\(\s*select\b/i.test(sql)
}
