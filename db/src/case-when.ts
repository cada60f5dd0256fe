import { type RawBuilder, sql } from 'kysely'

/**
 * Builds `case column when id then value … end`, with which one UPDATE sets a different value in each row. A row whose
 * id has no value is set to NULL, so the UPDATE must be limited to these ids. `values` must not be empty.
 */
export function caseWhen<T>(column: string, values: Iterable<readonly [id: number, value: T]>): RawBuilder<T> {
  const parameters = Array.from(values).flat()
  // Kysely's case builder allocates an object per branch, which costs more than the rest of the statement.
  const texts = parameters.map((_, index) => (index % 2 === 0 ? ' when ' : ' then '))
  const template = Object.assign(['case ', ...texts, ' end'], { raw: [] })
  return sql<T>(template, sql.ref(column), ...parameters)
}
