const TABLE = /\b(?:from|join|into|update) `?(\w+)`?/g
const CONDITION = /`(\w+)` (?:=|in|is|<|>=|>) /g

/**
 * Describes a statement as docs/transactions.md does: a verb and its tables in the order of the statement, such as
 * "lock `orders`".
 */
export function describeStatement(sql: string): string {
  return `${verbOf(sql)} ${named(sql.replace(/ on duplicate key update .*/s, ''), TABLE)}`
}

/** Describes a statement as docs/indexing.md does, with the columns of its conditions and its order. */
export function describeStatementWithColumns(sql: string): string {
  const [, conditions = ''] = /\bwhere (.*)/s.exec(sql) ?? []
  const [, order = ''] = /.*\border by (.*)/s.exec(sql) ?? []
  const columns = named(conditions.replace(/ order by .*?(?=\)|$)/gs, ' '), CONDITION)
  const sorted = named(order, /`(\w+)`(?!\.)/g)
  return `${describeStatement(sql)}${columns && ` by ${columns}`}${sorted && ` in order of ${sorted}`}`
}

function named(sql: string, pattern: RegExp): string {
  const names = [...sql.matchAll(pattern)].map(([, name]) => `\`${name}\``)
  return [...new Set(names)].join(', ')
}

function verbOf(sql: string): string {
  if (sql.startsWith('insert')) return sql.includes(' on duplicate key update ') ? 'add to' : 'insert'
  if (sql.startsWith('update')) return 'update'
  if (sql.startsWith('delete')) return 'delete'
  return sql.includes(' for update') ? 'lock' : 'read'
}
