const TABLE = /\b(?:from|join|into|update) `?(\w+)`?/g
const CONDITION = /`(\w+)` (?:=|in|is|<|>=|>) /g

/**
 * A statement in the words of docs/transactions.md: what it does, and to which tables, in the order in which it names
 * them. Such as: lock `orders`.
 */
export function describeStatement(sql: string): string {
  return `${verbOf(sql)} ${named(withoutExists(sql).replace(/ on duplicate key update .*/s, ''), TABLE)}`
}

/** The same in the words of docs/indexing.md, which add the columns it is found and sorted by. */
export function describeStatementWithColumns(sql: string): string {
  const [, conditions = ''] = /\bwhere (.*)/s.exec(withoutExists(sql)) ?? []
  const [, order = ''] = /.*\border by (.*)/s.exec(sql) ?? []
  const columns = named(conditions.replace(/ order by .*?(?=\)|$)/gs, ' '), CONDITION)
  const sorted = named(order, /`(\w+)`(?!\.)/g)
  return `${describeStatement(sql)}${columns && ` by ${columns}`}${sorted && ` in order of ${sorted}`}`
}

/** What is only asked for, and neither returned nor locked. */
function withoutExists(sql: string): string {
  return sql.replace(/exists \(select .*?\) as/s, '')
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
