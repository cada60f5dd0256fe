import type { CompiledQuery } from 'kysely'

/** No statement contains it: every value is a parameter. */
const SEPARATOR = ';\n'

/** Several statements that are sent together. */
export interface Script {
  sql: string
  /** The values of the placeholders, in their order. */
  parameters: readonly unknown[]
}

export function joinStatements(statements: readonly CompiledQuery[]): Script {
  return {
    sql: statements.map(({ sql }) => sql).join(SEPARATOR),
    parameters: statements.flatMap(({ parameters }) => parameters),
  }
}

/** The statements of a script, each with its own parameters. */
export function splitScript({ sql, parameters }: Script): Script[] {
  let next = 0
  return sql.split(SEPARATOR).map((statement) => {
    const first = next
    next += statement.split('?').length - 1
    return { sql: statement, parameters: parameters.slice(first, next) }
  })
}
