import type { Pool } from '@pointwise/db'
import { databaseUrl, emptyTables, freshDatabase, run, TABLES } from '../setup/database.ts'

export interface CopiedDatabase {
  url: string
  db: Pool
  /** Replaces every row by those of the worker's database, as replication does. */
  catchUp: () => Promise<void>
}

/** A database on the same server that contains what was copied to it: a replica that is behind by as much as a test wants. */
export async function copiedDatabase(): Promise<CopiedDatabase> {
  const { url, db } = await freshDatabase('replica')
  const primary = new URL(databaseUrl()).pathname.slice(1)
  return {
    url,
    db,
    async catchUp() {
      await emptyTables(db)
      for (const table of TABLES.toReversed()) await run(db, `insert into ${table} select * from ${primary}.${table}`)
    },
  }
}
