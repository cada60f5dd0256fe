import type { PointsChange } from '@pointwise/client-sdk'
import { connect, type Pool } from '@pointwise/db'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { deleteExpiredEvents } from '../../server/src/outbox/retention.ts'
import { holdLocks } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { type FaultProxy, faultProxy } from '../setup/fault-proxy.ts'
import { expectAuditPasses } from '../setup/invariants.ts'
import { type GivenUser, item, openShop, type Product, type Shop } from '../setup/shop.ts'
import { subscribe } from '../setup/subscriber.ts'
import { openEventWriter } from '../subscriptions/event-writer.ts'
import { eventIds, moveRelay, readHorizon, removeRelays } from './retained-outbox.ts'

const RELAY = 'kafka:pointwise.events'
const DAY_MS = 86_400_000
/** For transactions that a test holds open on a slow machine. */
const PATIENT = { lockWaitSeconds: 50, statementTimeoutMs: 120_000 }

/** Its clock is eight days behind, so every event is old. */
let shop: Shop
let user: GivenUser
let product: Product
/** Between retention and the database. */
let proxy: FaultProxy
let retentionDb: Pool
beforeAll(async () => {
  shop = await openShop({ now: () => new Date(Date.now() - 8 * DAY_MS) })
  proxy = await faultProxy(shop.databaseUrl)
  retentionDb = connect(proxy.url, PATIENT)
  user = await shop.givenUser({ points: 100_000 })
  product = await shop.givenProduct({ price: 1, stock: 1_000 })
})
afterEach(async () => {
  proxy.clear()
  await removeRelays(shop.db)
})
afterAll(async () => {
  await retentionDb.destroy()
  await proxy.close()
  await shop[Symbol.asyncDispose]()
})

const retain = () => deleteExpiredEvents(retentionDb, { retentionDays: 7 })

/** Lets a relay pass the newest event, and returns the ids of all events. */
async function publishAll(): Promise<number[]> {
  const ids = await eventIds(shop.db)
  await moveRelay(shop.db, RELAY, ids.at(-1) ?? 0)
  return ids
}

/** Every kind of change, each of which is refused with `service_busy` if it waits for a lock. */
async function changeEverything(): Promise<void> {
  const [buyer, admin] = [shop.asUser(user.id), shop.asAdmin()]
  const order = { items: [item(product)] }
  await buyer.points.charge({ amount: 1 })
  const { id: orderId } = await buyer.orders.place(order)
  await buyer.payments.pay({ orderId })
  await admin.payments.refund({ orderId })
  await buyer.orders.cancel({ orderId: (await buyer.orders.place(order)).id })
  await buyer.orders.checkout(order)
  await admin.products.restock({ productId: product.id, quantity: 1 })
}

describe('While a transaction of retention is open,', () => {
  test('every change, a stream that resumes, and the audit proceed without waiting for it', async () => {
    await changeEverything()
    const ids = await publishAll()
    const lastEventId = String(ids.at(-1))
    const commit = Promise.withResolvers<void>()
    const held = proxy.inject({ until: commit.promise }, /^commit$/)
    const deletion = retain()
    await eventually(held).toBe(1)

    await changeEverything()
    using points = await subscribe<PointsChange>((callbacks) =>
      user.client.points.onChange.subscribe({ lastEventId }, callbacks),
    )
    await points.received(4)
    await expectAuditPasses(shop.db)

    commit.resolve()
    expect(await deletion).toBe(ids.length - 1)
    expect(await readHorizon(shop.db)).toBe(ids.at(-2))
    await points.received(4)
    expect(points.error).toBeUndefined()
    await expectAuditPasses(shop.db)
  })
})

test('Retention does not wait for an open payment, and no call waits for the horizon or for an old event', async () => {
  await changeEverything()
  const ids = await publishAll()
  const writer = await openEventWriter(shop.databaseUrl)
  await writer.begin()
  await writer.insert()
  expect(await retain()).toBe(ids.length - 1)
  await writer.rollback()
  await using _ = await holdLocks(shop.databaseUrl, 'select * from outbox_cursors, events for update')
  await changeEverything()
  await expectAuditPasses(shop.db)
})
