import { audit } from '@pointwise/server'
import { expect, test } from 'vitest'
import { databaseUrl } from '../setup/database.ts'
import { faultProxy } from '../setup/fault-proxy.ts'
import { openShop } from '../setup/shop.ts'

test('A statement that is too slow is an error that states it, and not service_busy', async () => {
  await using proxy = await faultProxy(databaseUrl())
  await using shop = await openShop({ behind: () => proxy.url, database: { statementTimeoutMs: 5_000 } })
  await shop.givenUser({ points: 10 })
  const admin = await shop.admin()

  proxy.inject('hang', /from `events`/)
  await expect(audit(shop.db)).rejects.toMatchObject({
    name: 'StatementTooSlowError',
    message: expect.stringMatching(/^A statement of the audit took too long/),
  })
  proxy.inject('hang', /from `events`/)
  await expect(admin.audit.run.query()).rejects.toMatchObject({ data: { httpStatus: 500, refusal: null } })
  expect((await admin.audit.run.query()).sound).toBe(true)
})
