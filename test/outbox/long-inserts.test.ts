import { expect, onTestFinished, test } from 'vitest'
import { emptyDatabase, run } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { openEventWriter } from '../subscriptions/event-writer.ts'
import { readerFrom } from './retained-outbox.ts'

const EVENT = `'user:1', '{"userId":1}'`

test('A reader waits for the ids of an INSERT that is under way, however long it takes, and not for those of a rollback', async () => {
  const { db, url } = await emptyDatabase()
  onTestFinished(() => db.destroy())
  const [first, second] = [await openEventWriter(url), await openEventWriter(url)]
  const position = await second.insert()
  const reader = readerFrom(db, position, { emptyMs: 0, uncommittedMs: Number.POSITIVE_INFINITY })
  const read = async () => (await reader.read()).rows.map(({ id }) => id)

  await second.execute("do get_lock('insert', 0)")
  // The statement has received two ids. It inserts the second row when it gets the lock.
  const inserting = first.execute(
    `insert into events (type, \`key\`, payload) values ('points.charged', ${EVENT}),
      (if(get_lock('insert', 100), 'points.charged', ''), ${EVENT})`,
  )
  await eventually(() =>
    run(
      db,
      "select 1 from information_schema.processlist where info like 'insert%get_lock%' and state = 'User lock' and time >= 1",
    ),
  ).toHaveLength(1)
  const late = await second.insert()
  for (let reads = 0; reads < 3; reads++) expect(await read()).toEqual([])
  await second.execute("do release_lock('insert')")
  await inserting
  expect(await read()).toEqual([late - 2, late - 1, late])

  await first.begin()
  await first.insert()
  await first.rollback()
  const last = await second.insert()
  expect([...(await read()), ...(await read())]).toEqual([last])
})
