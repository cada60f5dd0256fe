import { createClient, type PointsChange, refusalOf } from '@pointwise/client-sdk'
import { connect, type Pool, transact } from '@pointwise/db'
import { createCaller } from '@pointwise/server'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { deleteEvents } from '../../server/src/outbox/horizon.ts'
import { type EventStream, type SubscribeOptions, SubscriptionHub } from '../../server/src/subscriptions/hub.ts'
import { signUserToken } from '../setup/configuration.ts'
import { emptyDatabase, run } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { faultProxy } from '../setup/fault-proxy.ts'
import { newKey } from '../setup/shop.ts'
import { startServer } from '../setup/start-server.ts'
import { subscribe } from '../setup/subscriber.ts'
import { startTcpProxy } from '../setup/tcp-proxy.ts'
import { openEventWriter } from './event-writer.ts'

const REFUSAL = { code: 'not_resumable', retry: 'never' }

let url: string
let db: Pool
beforeEach(async () => {
  ;({ url, db } = await emptyDatabase())
})
afterEach(() => db.destroy())

/** Deletes the events up to this id, and moves the horizon. */
const deleteThrough = (throughId: number) => transact(db, (tx) => deleteEvents(tx, { after: 0, throughId }))

const eventIds = async () => (await run<{ id: number }>(db, 'select id from events order by id')).map(({ id }) => id)

describe('a client that resumes', { timeout: 60_000 }, () => {
  /** A server whose outbox has five events: a product, a charge, an order that is placed and paid, and a charge. */
  async function startShop() {
    const admin = createCaller({ db, admin: true })
    const { id: storeId } = await admin.stores.create({ name: 'Kitchen' })
    const { id: productId } = await admin.products.create({ storeId, name: 'Mug', price: 1, stock: 9 })
    const { id: userId } = await admin.users.create({ name: 'Ada' })
    const user = createCaller({ db, userId })
    await user.points.charge({ amount: 10 })
    await user.orders.checkout({ items: [{ productId, quantity: 1, price: 1 }], idempotencyKey: newKey() })
    await user.points.charge({ amount: 1 })
    const server = await startServer({ db: connect(url) })
    onTestFinished(() => server[Symbol.asyncDispose]())
    const token = await signUserToken(userId)
    const client = createClient({ url: server.url, token })
    /** Resolves with the id of the first change of each subscription, or with its error. */
    const resume = (after: number): Promise<unknown[]> => {
      const lastEventId = String(after)
      const subscriptions: AsyncIterator<{ id: string }>[] = [
        client.orders.onChange.subscribe({ lastEventId }),
        client.points.onChange.subscribe({ lastEventId }),
        client.products.onStock.subscribe({ productIds: [productId], lastEventId }),
      ]
      return Promise.all(
        subscriptions.map(async (changes) => {
          try {
            return Number((await changes.next()).value.id)
          } catch (error) {
            return error
          } finally {
            await changes.return?.()
          }
        }),
      )
    }
    const expectRefused = async (...ids: number[]) => {
      for (const id of ids) {
        const results = await resume(id)
        expect(results.map(refusalOf)).toEqual([REFUSAL, REFUSAL, REFUSAL])
        expect(results[0]).toMatchObject({ data: { httpStatus: 409, issues: null } })
      }
    }
    return { server, user, token, productId, resume, expectRefused, ids: await eventIds() }
  }

  test('below the horizon is not_resumable in every subscription, and at the horizon receives what follows', async () => {
    const { resume, expectRefused, ids } = await startShop()
    const [, charged = 0, placed = 0, paid] = ids
    await deleteThrough(placed)
    await expectRefused(0, charged, placed - 1)
    expect(await resume(placed)).toEqual([paid, paid, paid])
  })

  test('below events that were deleted without moving the horizon is refused', async () => {
    const { resume, expectRefused, ids } = await startShop()
    const [, charged = 0, placed = 0, paid = 0] = ids
    await run(db, `delete from events where id <= ${placed}`)
    await expectRefused(0, charged, placed - 1)
    expect(await resume(placed)).toEqual([paid, paid, paid])
    await run(db, 'delete from events')
    await expectRefused(0, placed, paid)
  })

  test('from an id that no event has, as after the restoration of an older backup, is refused', async () => {
    const { expectRefused, ids } = await startShop()
    await expectRefused((ids.at(-1) ?? 0) + 1, 999_999_999_999_999)
  })

  test('below the horizon is refused although older events are left, as after a restoration', async () => {
    const { expectRefused, ids } = await startShop()
    const last = ids.at(-1) ?? 0
    await run(db, `update outbox_cursors set position = ${last + 1_000} where name = 'horizon'`)
    await run(
      db,
      `insert into events (id, type, \`key\`, payload) values (${last + 1_001}, 'points.charged', 'user:0', '{"userId":0}')`,
    )
    await expectRefused(last, last + 999)
  })

  test('after it was disconnected while events were deleted ends with the refusal and does not retry', async () => {
    const { server, user, token } = await startShop()
    await using proxy = await startTcpProxy(server.url)
    const mayReconnect = Promise.withResolvers<void>()
    const firstTokens = [token]
    let connections = 0
    const client = createClient({
      url: proxy.url,
      token: async () => {
        connections++
        return firstTokens.pop() ?? mayReconnect.promise.then(() => token)
      },
    })
    using points = await subscribe<PointsChange>((callbacks) => client.points.onChange.subscribe(undefined, callbacks))
    proxy.disconnectAll()
    await user.points.charge({ amount: 7 })
    await user.points.charge({ amount: 8 })
    const [last = 0, previous = 0] = (await eventIds()).toReversed()
    await deleteThrough(previous)
    mayReconnect.resolve()
    expect(refusalOf(await points.failed())).toEqual(REFUSAL)
    expect(points.changes).toEqual([])
    expect(connections).toBe(2)

    using reloaded = await subscribe<PointsChange>((callbacks) =>
      client.points.onChange.subscribe(undefined, callbacks),
    )
    await user.points.charge({ amount: 9 })
    await reloaded.received(1)
    expect(reloaded.ids[0]).toBeGreaterThan(last)
  })

  test('while the outbox is empty resumes at the horizon', async () => {
    const { user, productId, resume, ids } = await startShop()
    const last = ids.at(-1) ?? 0
    await deleteThrough(last)
    const resumed = resume(last)
    await user.orders.checkout({ items: [{ productId, quantity: 1, price: 1 }], idempotencyKey: newKey() })
    const [placed, paid] = await eventIds()
    expect(await resumed).toEqual([placed, paid, paid])
  })
})

describe('an open stream', { timeout: 60_000 }, () => {
  const openStream = (pool: Pool, options: Partial<SubscribeOptions<number>> = {}): Promise<EventStream<number>> =>
    new SubscriptionHub(pool, { gapTimeouts: { emptyMs: 60_000, uncommittedMs: 60_000 } }).subscribe({
      caller: 'user:1',
      topics: ['user:1'],
      toItem: ({ id }) => id,
      ...options,
    })

  /** Reads a stream to its end or to an id. Returns the ids that it delivered and its error. */
  async function readAll(stream: EventStream<number>, lastId?: number): Promise<{ ids: number[]; error: unknown }> {
    const ids: number[] = []
    try {
      for await (const id of stream) {
        ids.push(id)
        if (id === lastId) break
      }
      return { ids, error: undefined }
    } catch (error) {
      return { ids, error }
    }
  }

  const insertMany = (count: number) => {
    const values = Array(count).fill(`('points.charged', 'user:1', '{"userId":1}')`)
    return run(db, `insert into events (type, \`key\`, payload) values ${values.join()}`)
  }

  test.each(['moves the horizon', 'does not'])(
    'that replays events is refused before the first missing one, if the deletion %s',
    async (how) => {
      await insertMany(2_500)
      const all = await eventIds()
      const [first = 0] = all
      const stream = await openStream(db, { after: first })
      await stream.next()
      const deletedThrough = all.at(2_000) ?? 0
      if (how === 'moves the horizon') await deleteThrough(deletedThrough)
      else await run(db, `delete from events where id <= ${deletedThrough}`)
      const { ids, error } = await readAll(stream, all.at(-1))
      expect(error).toMatchObject({ refusal: REFUSAL })
      expect(ids).toEqual(all.slice(2, 2 + ids.length))
    },
  )

  test.each(['moves the horizon', 'does not'])(
    'that has not received the deleted events is refused, if the deletion %s',
    async (how) => {
      const writer = await openEventWriter(url)
      await writer.insert()
      await using proxy = await faultProxy(url)
      const proxied = connect(proxy.url)
      onTestFinished(() => proxied.destroy())
      const stream = await openStream(proxied)
      proxy.disable()
      const missed = await writer.insert()
      const last = await writer.insert()
      if (how === 'moves the horizon') await deleteThrough(missed)
      else await run(db, `delete from events where id <= ${missed}`)
      proxy.enable()
      expect(await readAll(stream, last)).toMatchObject({ ids: [], error: { refusal: REFUSAL } })
    },
  )

  test('that began with an empty outbox is refused when its first events are deleted before it has them', async () => {
    const writer = await openEventWriter(url)
    await using proxy = await faultProxy(url)
    const proxied = connect(proxy.url)
    onTestFinished(() => proxied.destroy())
    const stream = await openStream(proxied)
    proxy.disable()
    await deleteThrough(await writer.insert())
    const last = await writer.insert()
    proxy.enable()
    expect(await readAll(stream, last)).toMatchObject({ ids: [], error: { refusal: REFUSAL } })
  })

  test('continues when events that it has delivered are deleted', async () => {
    const writer = await openEventWriter(url)
    const stream = await openStream(db)
    const first = await writer.insert()
    expect(await stream.next()).toMatchObject({ value: first })
    await deleteThrough(first)
    const second = await writer.insert()
    expect(await stream.next()).toMatchObject({ value: second })
    await stream.return()
  })

  test('is refused when new events have lower ids, and the next stream receives the new events', async () => {
    await insertMany(100)
    const reading = readAll(await openStream(db))
    await run(db, 'truncate table events')
    await run(db, `update outbox_cursors set position = 0 where name = 'horizon'`)
    const writer = await openEventWriter(url)
    await writer.insert()
    expect(await reading).toMatchObject({ ids: [], error: { refusal: REFUSAL } })
    const next = await openStream(db)
    const id = await writer.insert()
    expect(await next.next()).toMatchObject({ value: id })
    await next.return()
  })
})

test('a missing horizon is a fault that states what to insert', async () => {
  const cursors = await run<{ position: number }>(db, "select position from outbox_cursors where name = 'horizon'")
  await run(db, 'delete from outbox_cursors')
  onTestFinished(async () => {
    const repair = connect(url)
    await run(repair, `insert into outbox_cursors (name, position) values ('horizon', ${cursors[0]?.position})`)
    await repair.destroy()
  })
  const hub = new SubscriptionHub(db)
  const stream = hub.subscribe({ caller: 'user:1', topics: ['user:1'], toItem: ({ id }) => id })
  await expect(stream).rejects.toThrow("The table outbox_cursors has no row 'horizon'")
  await eventually(() => hub.size).toBe(0)
})
