import { readFileSync } from 'node:fs'
import type { OrderChange } from '@pointwise/client-sdk'
import { expect, test } from 'vitest'
import { expectRefused } from '../setup/refusals.ts'
import { item, openShop } from '../setup/shop.ts'
import { subscribe } from '../setup/subscriber.ts'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

test('the token of a user that another server removed still orders and receives changes, but moves no points', async () => {
  await using shop = await openShop({ userExistenceTtlSeconds: 60 })
  const product = await shop.givenProduct()
  const { id: userId, client } = await shop.givenUser({ points: 300 })
  using orders = await subscribe<OrderChange>((callbacks) => client.orders.onChange.subscribe(undefined, callbacks))

  // The in-process caller has its own cache, as another server has.
  await shop.asAdmin().users.remove({ userId })

  const { id: orderId } = await client.orders.place.mutate({ items: [item(product)] })
  expect(await client.orders.get.query({ orderId })).toMatchObject({ id: orderId })
  for (const call of [
    () => client.payments.pay.mutate({ orderId }),
    () => client.orders.checkout.mutate({ items: [item(product)] }),
    () => client.points.charge.mutate({ amount: 1 }),
  ]) {
    await expectRefused(shop, call, 401, { code: 'user_not_found' })
  }
  expect(await client.orders.cancel.mutate({ orderId })).toMatchObject({ status: 'cancelled' })
  await orders.received(2)
  expect(orders.changes.map(({ type }) => type)).toEqual(['placed', 'cancelled'])
})

test('the documents state how long other servers accept the token: twice the lifetime of the cached user', () => {
  expect(read('server/src/app.ts')).toMatch(/TTL_SECONDS = 5\n/)
  expect(read('docs/caching.md')).toMatch(
    /^\| whether a user exists \| `UserExistenceCache` \| 5 s \|.* for up to ten seconds\./m,
  )
  for (const page of ['docs/security.md', 'server/src/users/router.ts']) {
    expect(read(page).replace(/['+\s]+/g, ' ')).toContain('up to ten seconds more')
  }
})
