import { type RawBuilder, sql } from 'kysely'

/** `case column when id then value … end`: a value of its own for each row of one UPDATE. */
export function caseOf<T>(column: string, values: Iterable<readonly [id: number, value: T]>): RawBuilder<T> {
  const branches = Array.from(values, ([id, value]) => sql`when ${id} then ${value}`)
  return sql`case ${sql.ref(column)} ${sql.join(branches, sql` `)} end`
}
