import type { Kysely } from 'kysely'
import { forceIndex } from '../force-index.ts'
import type { Tx } from '../handles.ts'
import type { Tables } from '../tables.ts'

/**
 * Two rows of `outbox_cursors` that only the check of capabilities uses. They are committed, so that two sessions can lock them, and
 * they remain. Every transaction of the check locks the first one before anything else, so servers that start at the same time wait for
 * each other there, and only there.
 */
export const RESERVED = ['start-check:1', 'start-check:2'] as const
const [FIRST] = RESERVED

/** Creates the rows, unless they exist. */
export async function createReserved(db: Kysely<Tables>): Promise<void> {
  const found = await db.selectFrom('outbox_cursors').select('name').where('name', 'in', RESERVED).execute()
  if (found.length === RESERVED.length) return
  const rows = RESERVED.map((name) => ({ name, position: 0 }))
  await db.insertInto('outbox_cursors').ignore().values(rows).execute()
}

export function lockCursors(tx: Tx, names: readonly string[]) {
  return tx
    .selectFrom(forceIndex('outbox_cursors', 'PRIMARY'))
    .select(['name', 'epoch'])
    .where('name', 'in', names)
    .orderBy('name')
    .forUpdate()
}

/** Locks the first reserved row, waits for other servers that start, and returns its epoch. */
export async function lockFirst(tx: Tx): Promise<number> {
  const { epoch } = await lockCursors(tx, [FIRST]).executeTakeFirstOrThrow()
  return epoch
}

export async function readFirst(tx: Tx): Promise<number> {
  const row = await tx.selectFrom('outbox_cursors').select('epoch').where('name', '=', FIRST).executeTakeFirstOrThrow()
  return row.epoch
}

export async function writeFirst(tx: Tx, epoch: number): Promise<void> {
  await tx.updateTable('outbox_cursors').set({ epoch }).where('name', '=', FIRST).execute()
}
