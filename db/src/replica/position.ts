import type { Reader } from '../handles.ts'

/** How many ids up to the newest event are compared. A transaction that commits later than one with a higher id is within them. */
const COMPARED_IDS = 1_000

/** How far the outbox has come. Every change of a product, an order or a wallet adds an event. */
export interface Position {
  /** The id of the newest event; 0 if there is none. */
  id: number
  /** How many of the last ids up to it have an event. */
  count: number
  /** Identifies the event, so that another database is not mistaken for a replica. */
  fingerprint: string
}

const START: Position = { id: 0, count: 0, fingerprint: '' }

/** The id of the newest event; 0 if there is none. */
export async function readNewestId(db: Reader): Promise<number> {
  const row = await db.selectFrom('events').select('id').orderBy('id', 'desc').limit(1).executeTakeFirst()
  return row?.id ?? 0
}

export async function readPosition(db: Reader): Promise<Position> {
  return readPositionAt(db, await readNewestId(db))
}

/** The position of a database that contains the event `id`. Without the event, its `fingerprint` is empty. */
export async function readPositionAt(db: Reader, id: number): Promise<Position> {
  if (id === 0) return START
  const rows = await db
    .selectFrom('events')
    .select(['id', 'key', 'created_at'])
    .where('id', '>', id - COMPARED_IDS)
    .where('id', '<=', id)
    .orderBy('id', 'desc')
    .execute()
  const [newest] = rows
  if (newest?.id !== id) return { ...START, id }
  return { id, count: rows.length, fingerprint: `${newest.key} ${newest.created_at.toISOString()}` }
}
