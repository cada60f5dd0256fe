import type { Pool } from '@pointwise/db'
import { run } from '../setup/database.ts'

/** Inserts events of user 1, which no change of the shop caused, and returns their ids. */
export async function insertEvents(db: Pool, count: number): Promise<number[]> {
  const row = `('points.charged', 'user:1', '{"userId":1,"historyId":1,"amount":1,"balance":1}')`
  await run(db, `insert into events (type, \`key\`, payload) values ${Array(count).fill(row).join(', ')}`)
  const rows = await run<{ id: number }>(db, `select id from events order by id desc limit ${count}`)
  return rows.map(({ id }) => id).toReversed()
}

export interface OutboxRow {
  id: number
  type: string
  key: string
  payload: string
  at: Date
  traceparent: string | null
}

/** Every row of the outbox. */
export const outboxOf = (db: Pool): Promise<OutboxRow[]> =>
  run<OutboxRow>(
    db,
    'select id, type, `key`, cast(payload as char) as payload, created_at as at, traceparent from events order by id',
  )

export interface CursorRow {
  position: number
  epoch: number
  /** `host:pid` of the holder of the lease. */
  owner: string | null
}

/** The cursor of this name; undefined if there is none. */
export const readCursor = async (db: Pool, name: string): Promise<CursorRow | undefined> =>
  (await run<CursorRow>(db, `select position, epoch, owner from outbox_cursors where name = '${name}'`))[0]
