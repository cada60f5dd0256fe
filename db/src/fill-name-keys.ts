import { type QueryExecutorProvider, sql } from 'kysely'
import { caseWhen } from './case-when.ts'
import { isDuplicateKey } from './errors.ts'
import { nameKey } from './name-key.ts'

const ROWS_PER_UPDATE = 500

type Table = 'users' | 'stores'

interface NamedRow {
  id: number
  name: string
}

/**
 * Writes the missing name keys: those of rows that were written before the column existed, or by a server of the previous
 * version. Of two rows whose names are the same, the lower id owns the key; the other receives a key that no name has.
 */
export async function fillNameKeys(db: QueryExecutorProvider): Promise<void> {
  for (const table of ['users', 'stores'] as const) {
    for (let after = 0; ; ) {
      const { rows } = await sql<NamedRow>`select id, name from ${sql.table(table)}
        where name_key is null and id > ${after} order by id limit ${sql.lit(ROWS_PER_UPDATE)}`.execute(db)
      const last = rows.at(-1)
      if (!last) break
      await fillTogether(db, table, rows)
      after = last.id
    }
  }
}

async function fillTogether(db: QueryExecutorProvider, table: Table, rows: NamedRow[]): Promise<void> {
  const keys = caseWhen<string>(
    'id',
    rows.map(({ id, name }) => [id, nameKey(name)] as const),
  )
  const ids = sql.join(rows.map(({ id }) => id))
  try {
    await sql`update ${sql.table(table)} set name_key = ${keys} where id in (${ids}) and name_key is null`.execute(db)
  } catch (error) {
    if (!isDuplicateKey(error)) throw error
    for (const row of rows) await fillOne(db, table, row)
  }
}

async function fillOne(db: QueryExecutorProvider, table: Table, { id, name }: NamedRow): Promise<void> {
  const set = (key: string) =>
    sql`update ${sql.table(table)} set name_key = ${key} where id = ${id} and name_key is null`.execute(db)
  try {
    await set(nameKey(name))
  } catch (error) {
    if (!isDuplicateKey(error)) throw error
    // The key of a name never contains a control character that names may not contain.
    await set(`${nameKey(name)}\u0000${id}`)
  }
}
