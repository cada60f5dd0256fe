import { connect, createDatabase, DatabaseBusyError, migrate, transact } from '@pointwise/db'
import { expect, test } from 'vitest'
import { run } from '../setup/database.ts'
import { startPrivateServer } from '../setup/private-server.ts'

test('A server that becomes read-only during a transaction rolls it back at COMMIT', async () => {
  await using server = await startPrivateServer()
  await createDatabase(server.url)
  await migrate(server.url)
  const admin = connect(server.url)
  await run(admin, "create user shop@'%' identified by 'secret'")
  await run(admin, "grant all on shop.* to shop@'%'")
  const db = connect(server.url.replace('root@', 'shop:secret@'))
  const reasons: unknown[] = []
  const work = transact(
    db,
    async (tx) => {
      await tx.insertInto('users').values({ name: 'Ada' }).execute()
      await run(admin, 'set global read_only = on')
    },
    { onFailedAttempt: ({ reason }) => reasons.push(reason) },
  )
  await expect(work).rejects.toBeInstanceOf(DatabaseBusyError)
  // COMMIT, and then the first statement of each further attempt.
  expect(reasons).toEqual([1290, 1290, 1290, 1290])
  expect(await run(admin, 'select name from users')).toEqual([])
  await run(admin, 'set global read_only = off')
  await transact(db, (tx) => tx.insertInto('users').values({ name: 'Ben' }).execute())
  expect(await run(admin, 'select name from users')).toEqual([{ name: 'Ben' }])
  await db.destroy()
  await admin.destroy()
})
