import { type RawBuilder, sql } from 'kysely'

/** `case column when id then value … end`: a value of its own for each row of one UPDATE. */
export function caseWhen<T>(column: string, values: Iterable<readonly [id: number, value: T]>): RawBuilder<T> {
  const parameters = Array.from(values).flat()
  // One template for all branches: a builder for each would cost more than the rest of the statement.
  const texts = parameters.map((_, index) => (index % 2 === 0 ? ' when ' : ' then '))
  const template = Object.assign(['case ', ...texts, ' end'], { raw: [] })
  return sql<T>(template, sql.ref(column), ...parameters)
}
