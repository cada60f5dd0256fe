import { createClient, type PointsChange } from '@pointwise/client-sdk'
import { createCaller } from '@pointwise/server'
import { expect, test } from 'vitest'
import { signUserToken } from '../setup/configuration.ts'
import { freshDatabase, run } from '../setup/database.ts'
import { startServer } from '../setup/start-server.ts'
import { subscribe } from '../setup/subscriber.ts'

const EVENTS = 2_500
/** Every second event is Ada's. */
const USERS = 2

/** Starts a server whose outbox contains events with these ids. The client is Ada's. */
async function startFilledServer(idAt: (n: number) => number) {
  const { db } = await freshDatabase('backlog')
  const { id } = await createCaller({ db, admin: true }).users.create({ name: 'Ada' })
  const eventAt = (n: number) => {
    const userId = n % USERS === 0 ? id : id + 1
    const payload = { userId, historyId: n, amount: n, balance: n }
    return `(${idAt(n)}, 'points.charged', 'user:${userId}', '${JSON.stringify(payload)}')`
  }
  const rows = Array.from({ length: EVENTS }, (_, n) => eventAt(n))
  await run(db, `insert into events (id, type, \`key\`, payload) values ${rows.join()}`)
  const server = await startServer({ db })
  const token = await signUserToken(id)
  return { server, client: createClient({ url: server.url, token }) }
}

test('a client that resumes after thousands of changes receives all of them in order, across wide id gaps', async () => {
  const idAt = (n: number) => 1 + n * 20
  const { server, client } = await startFilledServer(idAt)
  await using _ = server
  using points = await subscribe<PointsChange>((callbacks) =>
    client.points.onChange.subscribe({ lastEventId: '1' }, callbacks),
  )
  const expected = Array.from({ length: EVENTS / USERS - 1 }, (_, n) => idAt((n + 1) * USERS))
  await points.received(expected.length)
  await client.points.charge.mutate({ amount: 7 })
  await points.received(expected.length + 1)
  expect(points.ids.slice(0, -1)).toEqual(expected)
})

test('an id that is more than a million ids behind is refused, and a subscription without an id succeeds', async () => {
  const { server, client } = await startFilledServer((n) => 1 + n * 1_000)
  await using _ = server
  const refused = client.points.onChange.subscribe({ lastEventId: '1' }).next()
  await expect(refused).rejects.toMatchObject({ data: { refusal: { code: 'not_resumable', retry: 'never' } } })
  using points = await subscribe<PointsChange>((callbacks) => client.points.onChange.subscribe(undefined, callbacks))
  await client.points.charge.mutate({ amount: 7 })
  await points.received(1)
  expect(points.changes).toMatchObject([{ amount: 7 }])
})
