import type { Pool } from '@pointwise/db'
import { OutboxReader } from '../../server/src/outbox/outbox-reader.ts'
import { selectEventsAfter, selectEventsWithin } from '../../server/src/outbox/queries.ts'
import type { GapTimeouts } from '../../server/src/outbox/reorder-buffer.ts'
import { run } from '../setup/database.ts'

/** A reader of the events after `position`. */
export const readerFrom = (db: Pool, position: number, gapTimeouts: GapTimeouts) =>
  new OutboxReader(db, position, {
    rows: {
      after: (pool, page) => selectEventsAfter(pool, page).execute(),
      within: (pool, ranges) => selectEventsWithin(pool, ranges).execute(),
    },
    gapTimeouts,
  })

/** Removes the cursors of all relays, as in a shop without Kafka. */
export const removeRelays = (db: Pool) => run(db, "delete from outbox_cursors where name <> 'horizon'")

/** Moves the cursor of a relay, which has published the events up to `position`. */
export const moveRelay = (db: Pool, name: string, position: number) =>
  run(
    db,
    `insert into outbox_cursors (name, position) values ('${name}', ${position})
    on duplicate key update position = ${position}`,
  )

/** Writes an event of each age, in hours, and returns their ids. */
export async function insertEventsOfAges(db: Pool, ages: number[]): Promise<number[]> {
  const values = ages.map(
    (hours) => `('points.charged', 'user:1', '{"userId":1}', current_timestamp(3) - interval ${hours} hour)`,
  )
  await run(db, `insert into events (type, \`key\`, payload, created_at) values ${values.join()}`)
  return (await eventIds(db)).slice(-ages.length)
}

export const eventIds = async (db: Pool): Promise<number[]> =>
  (await run<{ id: number }>(db, 'select id from events order by id')).map(({ id }) => id)

export async function readHorizon(db: Pool): Promise<number> {
  const [row] = await run<{ position: number }>(db, "select position from outbox_cursors where name = 'horizon'")
  if (!row) throw new Error('There is no horizon.')
  return row.position
}
