import { type RawBuilder, sql } from 'kysely'

/** How many values are compared one after the other. */
const VALUES_PER_LEAF = 8

/**
 * Builds an expression with which one UPDATE sets a different value in each row: the value of the row's id. It is a binary search
 * of nested `case` expressions, so the time of the UPDATE grows with n log n; one `case` with n branches takes n² comparisons. A
 * row whose id has no value is set to NULL, so the UPDATE must be limited to these ids. `values` must not be empty.
 */
export function caseWhen<T>(column: string, values: Iterable<readonly [id: number, value: T]>): RawBuilder<T> {
  // Kysely's case builder allocates an object per branch, which costs more than the rest of the statement.
  const texts = ['']
  const parameters: unknown[] = []
  const add = (text: string, parameter: unknown) => {
    texts[texts.length - 1] += text
    parameters.push(parameter)
    texts.push('')
  }
  const ref = sql.ref(column)
  const search = (sorted: (readonly [id: number, value: T])[]) => {
    const middle = sorted.length >> 1
    const right = sorted[middle]
    if (sorted.length <= VALUES_PER_LEAF || !right) {
      add('case ', ref)
      for (const [id, value] of sorted) {
        add(' when ', id)
        add(' then ', value)
      }
    } else {
      add('case when ', ref)
      add(' < ', right[0])
      texts[texts.length - 1] += ' then '
      search(sorted.slice(0, middle))
      texts[texts.length - 1] += ' else '
      search(sorted.slice(middle))
    }
    texts[texts.length - 1] += ' end'
  }
  search(Array.from(values).toSorted(([a], [b]) => a - b))
  return sql<T>(Object.assign(texts, { raw: [] }), ...parameters)
}
