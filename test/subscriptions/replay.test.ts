import { createClient, type PointsChange } from '@pointwise/client-sdk'
import { createCaller } from '@pointwise/server'
import { expect, test } from 'vitest'
import { signUserToken } from '../setup/configuration.ts'
import { freshDatabase, run } from '../setup/database.ts'
import { startServer } from '../setup/start-server.ts'
import { subscribe } from '../setup/subscriber.ts'

const EVENTS = 2_500
/** Of so many events one is Ada's. */
const OTHERS = 2

async function openFilled(idAt: (n: number) => number) {
  const { db } = await freshDatabase('backlog')
  const { id } = await createCaller({ db, admin: true }).users.create({ name: 'Ada' })
  const eventAt = (n: number) => {
    const userId = n % OTHERS === 0 ? id : id + 1
    const payload = { userId, historyId: n, amount: n, balance: n }
    return `(${idAt(n)}, 'points.charged', 'user:${userId}', '${JSON.stringify(payload)}')`
  }
  const rows = Array.from({ length: EVENTS }, (_, n) => eventAt(n))
  await run(db, `insert into events (id, type, \`key\`, payload) values ${rows.join()}`)
  const server = await startServer({ db })
  const token = await signUserToken(id)
  return { server, client: createClient({ url: server.url, token }) }
}

test('who comes back after long is told of thousands of changes, across wide gaps, in order', async () => {
  const idAt = (n: number) => 1 + n * 20
  const { server, client } = await openFilled(idAt)
  await using _ = server
  using points = await subscribe<PointsChange>((calls) => client.points.onChange.subscribe({ lastEventId: '1' }, calls))
  const own = Array.from({ length: EVENTS / OTHERS - 1 }, (_, n) => idAt((n + 1) * OTHERS))
  await points.has(own.length)
  await client.points.charge.mutate({ amount: 7 })
  await points.has(own.length + 1)
  expect(points.ids.slice(0, -1)).toEqual(own)
})

test('who comes back after too long is told to begin anew', async () => {
  const { server, client } = await openFilled((n) => 1 + n * 1_000)
  await using _ = server
  const invalid = client.points.onChange.subscribe({ lastEventId: '1' }).next()
  await expect(invalid).rejects.toMatchObject({
    data: { issues: [{ path: ['lastEventId'], message: 'is of an event that lies too far back' }] },
  })
  using points = await subscribe<PointsChange>((calls) => client.points.onChange.subscribe(undefined, calls))
  await client.points.charge.mutate({ amount: 7 })
  await points.has(1)
  expect(points.changes).toMatchObject([{ amount: 7 }])
})
