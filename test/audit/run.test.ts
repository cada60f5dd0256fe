import { expect, test } from 'vitest'
import { run } from '../setup/database.ts'
import { expectRefused } from '../setup/refusals.ts'
import { item, openShop } from '../setup/shop.ts'

test('audit.run returns sound: true to an admin if all records are consistent', async () => {
  await using shop = await openShop()
  const user = await shop.givenUser({ points: 500 })
  await user.client.orders.checkout.mutate({ items: [item(await shop.givenProduct())] })
  const result = await (await shop.admin()).audit.run.query()
  expect(result.sound).toBe(true)
  expect(result.asOf).toBeInstanceOf(Date)
  expect(result.checks.map(({ name }) => name)).toContain('balances')
  expect(result.checks.every(({ rows, broken }) => (rows > 0 ? broken === 0 : true))).toBe(true)
})

test('audit.run returns the broken row with the expected and the found value', async () => {
  await using shop = await openShop()
  const user = await shop.givenUser({ points: 500 })
  const wallet = await shop.db
    .selectFrom('points')
    .select('id')
    .where('user_id', '=', user.id)
    .executeTakeFirstOrThrow()
  await run(shop.db, 'update points set point = 501, updated_at = updated_at')
  const { sound, checks } = await (await shop.admin()).audit.run.query()
  expect(sound).toBe(false)
  expect(checks.find(({ name }) => name === 'balances')).toEqual({
    name: 'balances',
    promise: "A wallet's balance equals the sum of its history rows.",
    rows: 1,
    broken: 1,
    findings: [{ what: 'points', ids: { id: wallet.id }, expected: 'point 500', found: 'point 501' }],
  })
  await run(shop.db, 'update points set point = 500, updated_at = updated_at')
})

test('Calls of audit.run during an audit share its result, and a later call runs a new audit', async () => {
  await using shop = await openShop({ database: { connections: 2 } })
  const admin = shop.asAdmin()
  shop.statements.length = 0
  const [first, second] = await Promise.all([admin.audit.run(), admin.audit.run()])
  expect(second).toEqual(first)
  const statementsOfOneAudit = shop.statements.length
  await admin.audit.run()
  expect(shop.statements).toHaveLength(2 * statementsOfOneAudit)
})

test('audit.run refuses a user with not_allowed and a caller without a token with token_missing', async () => {
  await using shop = await openShop()
  const user = await shop.givenUser()
  await expectRefused(shop, () => user.client.audit.run.query(), 403, { code: 'not_allowed' })
  await expectRefused(shop, () => shop.client().audit.run.query(), 401, { code: 'token_missing' })
})
