import { caseWhen, transact } from '@pointwise/db'
import { expect, test } from 'vitest'
import { emptyDatabase, run } from '../setup/database.ts'
import { insertUsers } from '../setup/insert-users.ts'

test.each([1, 2, 8, 9, 16, 17, 100, 1_000])(
  'One UPDATE sets a different value in each of %i rows, in any sequence of the ids',
  async (count) => {
    const { db } = await emptyDatabase()
    await insertUsers(
      db,
      Array.from({ length: count }, (_, index) => `user ${index}`),
      0,
    )
    const rows = await run<{ id: number }>(db, 'select id from points order by id')
    const values = rows.map(({ id }, index) => [id, (index * 7) % 1_000] as const)
    // Neighbours are far apart, and the sequence is neither ascending nor descending.
    const sequence = values.toSorted(([a], [b]) => (a % 7) - (b % 7) || b - a)
    await transact(db, (tx) =>
      tx
        .updateTable('points')
        .set({ point: caseWhen('id', sequence) })
        .where(
          'id',
          'in',
          values.map(([id]) => id),
        )
        .execute(),
    )
    expect(await run(db, 'select id, point from points order by id')).toEqual(
      values.map(([id, point]) => ({ id, point })),
    )
    await db.destroy()
  },
)

test('The expression compares a row with few of the ids', () => {
  const texts = (count: number) => {
    const values = Array.from({ length: count }, (_, index) => [index + 1, index] as const)
    return caseWhen<number>('id', values).toOperationNode() as unknown as { sqlFragments: string[] }
  }
  /** How deep the expressions are nested in each other. */
  const depth = (fragments: string[]) => {
    let [current, deepest] = [0, 0]
    for (const word of fragments.join(' ').split(/\s+/)) {
      if (word === 'case') deepest = Math.max(deepest, ++current)
      if (word === 'end') current--
    }
    return deepest
  }
  expect(depth(texts(8).sqlFragments)).toBe(1)
  expect(depth(texts(1_024).sqlFragments)).toBe(8)
})
