import { tryCapabilities } from '@pointwise/db'
import { expect, test } from 'vitest'
import { LOCKING_STATEMENTS } from '../../server/src/payments/settlement/lock-rows.ts'
import { item, openShop, PATIENT_LOCKS } from '../setup/shop.ts'
import { inSuite } from '../setup/suite.ts'

const SERVERS = inSuite(2, 10)

test('servers that start at once are accepted while customers pay, and every call is answered', async () => {
  await using shop = await openShop({ database: PATIENT_LOCKS })
  const product = await shop.givenProduct({ price: 1, stock: 100_000 })
  const buyers = await shop.givenUsers(4, { points: 100_000 })
  let isStarting = true
  const checkouts = buyers.map(async ({ client }) => {
    let paid = 0
    do {
      const { payment } = await client.orders.checkout.mutate({ items: [item(product)] })
      paid += payment.amount
    } while (isStarting)
    return paid
  })
  const admin = await shop.admin()
  const created = (async () => {
    let users = 0
    do await admin.users.create.mutate({ name: `start ${users++}` })
    while (isStarting)
    return users
  })()
  const starts = Array.from({ length: SERVERS }, () => tryCapabilities(shop.databaseUrl, LOCKING_STATEMENTS))
  const failures = await Promise.all(starts).finally(() => {
    isStarting = false
  })
  expect(failures).toEqual(Array.from({ length: SERVERS }, () => []))
  expect(Math.min(await created, ...(await Promise.all(checkouts)))).toBeGreaterThan(0)
})
