/**
 * Writes times and reads them back. The test starts it as a process with a TZ of its own, and reads JSON from its
 * standard output.
 */
import { connect, transact } from '@pointwise/db'
import { sql } from 'kysely'

const [url = '', ...times] = process.argv.slice(2)
const db = connect(url)
await transact(db, async (tx) => {
  for (const time of times)
    await tx
      .insertInto('users')
      .values({ name: time, created_at: new Date(time) })
      .execute()
})
const rows = await db
  .selectFrom('users')
  .select(['name', 'created_at', sql<string>`cast(created_at as char)`.as('stored')])
  .orderBy('id')
  .execute()
const found = await Promise.all(
  rows.map(({ created_at }) =>
    db.selectFrom('users').select('name').where('created_at', '=', created_at).executeTakeFirst(),
  ),
)
const clock = await db.selectNoFrom(sql<Date>`current_timestamp(3)`.as('now')).executeTakeFirstOrThrow()
await db.destroy()
process.stdout.write(
  JSON.stringify({
    offsetMinutes: new Date('2026-01-01T00:00:00Z').getTimezoneOffset(),
    rows: rows.map(({ name, created_at, stored }) => ({ given: name, read: created_at.toISOString(), stored })),
    found: found.map((row) => row?.name),
    clockIsOffByMs: Math.abs(clock.now.getTime() - Date.now()),
  }),
)
