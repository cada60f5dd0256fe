import { type Pool, type Tx, transact } from '@pointwise/db'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { auditSnapshot } from '../../server/src/audit/service.ts'
import { run } from '../setup/database.ts'
import { inSuite } from '../setup/suite.ts'
import { type BusyShop, seedBusyShop } from './busy-shop.ts'
import { losses } from './planted-losses.ts'
import { order } from './planted-order.ts'
import { payloads } from './planted-payloads.ts'
import { rows } from './planted-rows.ts'
import { times } from './planted-times.ts'
import { values } from './planted-values.ts'
import { databaseWithoutConstraints } from './seeded-shop.ts'
import { UNSEEN } from './unseen-corruptions.ts'

const PLANTED = { payloads, values, order, times, rows, losses }

let db: Pool
let shop: BusyShop
beforeAll(async () => {
  db = await databaseWithoutConstraints()
  shop = await seedBusyShop(db)
})
afterAll(() => db.destroy())

/** Runs statements and an audit in a transaction, and rolls it back. */
async function auditAfter(statements: string[]) {
  const results: Awaited<ReturnType<typeof auditSnapshot>>[] = []
  const rollback = new Error('The corruption is rolled back.')
  const work = async (tx: Tx) => {
    for (const statement of statements) await run(tx, statement)
    results.push(await auditSnapshot(tx))
    throw rollback
  }
  await transact(db, work).catch((error) => {
    if (error !== rollback) throw error
  })
  const broken = results[0]?.checks.filter((check) => check.broken > 0) ?? []
  return Object.fromEntries(broken.map(({ name, findings }) => [name, findings]))
}

test('a busy shop that only procedures have changed is sound', async () => {
  expect(await auditAfter([])).toEqual({})
})

for (const [kind, corruptions] of Object.entries(PLANTED)) {
  describe(`${kind}: the audit finds`, () => {
    test.each(corruptions.filter((_, index) => index % inSuite(5, 1) === 0))('$name', async ({ plant, found }) => {
      const broken = await auditAfter([plant(shop)].flat())
      for (const [check, ids] of Object.entries(found(shop))) {
        expect(broken, check).toHaveProperty(check)
        expect(broken[check]?.map((finding) => finding.ids)).toContainEqual(expect.objectContaining(ids))
      }
    })
  })
}

describe('the audit cannot see, as docs/audit.md states:', () => {
  const examples = UNSEEN.flatMap(({ sentence, plants }) =>
    plants.map((plant, index) => ({ name: `${sentence} (${index + 1})`, plant })),
  )
  test.each(examples.filter((_, index) => index % inSuite(5, 1) === 0))('$name', async ({ plant }) => {
    expect(await auditAfter([plant(shop)].flat())).toEqual({})
  })
})

describe('after old events were deleted', () => {
  const deleteOld = ({ chargeEvent }: BusyShop) => [
    `delete from events where id <= ${chargeEvent(2)}`,
    `update outbox_cursors set position = ${chargeEvent(2)} where name = 'horizon'`,
  ]
  const deleted: [string, (shop: BusyShop) => number, Record<string, string>][] = [
    ['a charge', ({ chargeEvent }) => chargeEvent(4), { type: 'points.charged' }],
    ['a payment', ({ event, orders }) => event('order.paid', orders.mugs), { type: 'order.paid' }],
    ['a removal', ({ event, products }) => event('product.removed', products.lamp), { type: 'product.removed' }],
    ['a restock', ({ event, products }) => event('product.restocked', products.tea, 2), { type: 'product.restocked' }],
  ]
  test.each(deleted)('the audit finds that the event of %s is missing', async (_, id, ids) => {
    const broken = await auditAfter([...deleteOld(shop), `delete from events where id = ${id(shop)}`])
    expect(broken).toMatchObject({ told: [{ ids }] })
  })

  test('the audit finds a balance that does not follow', async () => {
    const id = shop.event('order.paid', shop.orders.mugs)
    const wrong = `update events set payload = json_set(payload, '$.balance', 1) where id = ${id}`
    expect((await auditAfter([...deleteOld(shop), wrong])).sequence).toEqual([
      expect.objectContaining({ ids: expect.objectContaining({ id }) }),
    ])
  })
})
