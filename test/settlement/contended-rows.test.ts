import { expect, test } from 'vitest'
import { type FaultyShop, openFaultyShop } from '../faults/faulty-shop.ts'
import { holdLocks, run } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { post } from '../setup/raw-http.ts'
import { item } from '../setup/shop.ts'
import { holdCommit } from './batches.ts'

const WAITS = `
  select 1 from information_schema.processlist
  where db = database() and command = 'Query' and info like '%from %stock%for update'`

/** Waits until a transaction waits for the lock of a stock row, instead of skipping it with SKIP LOCKED. */
const untilLockWait = ({ direct }: FaultyShop) => eventually(() => run(direct, WAITS)).toHaveLength(1)

test('A row whose lock was acquired again is no longer contended: the next batch waits for it', async () => {
  await using faulty = await openFaultyShop()
  const { shop } = faulty
  const product = await shop.givenProduct({ price: 1 })
  const { token } = await shop.givenUser({ points: 100 })
  const checkout = () => post(shop, 'orders.checkout', { token, input: { items: [item(product)] } })
  {
    await using _ = await holdLocks(shop.databaseUrl, `select * from stock where product_id = ${product.id} for update`)
    expect((await checkout()).status).toBe(503)
  }
  expect((await checkout()).status).toBe(200)
  using restocked = await holdCommit(faulty, () =>
    shop.asAdmin().products.restock({ productId: product.id, quantity: 1 }),
  )
  const waiting = checkout()
  await untilLockWait(faulty)
  await restocked.finish()
  expect((await waiting).status).toBe(200)
})

test('A contended row that other transactions update in turn is waited for in the lock queue', async () => {
  await using faulty = await openFaultyShop()
  const { shop } = faulty
  const product = await shop.givenProduct({ price: 1 })
  const { token } = await shop.givenUser({ points: 100 })
  const restock = () => shop.asAdmin().products.restock({ productId: product.id, quantity: 1 })
  const checkout = () => post(shop, 'orders.checkout', { token, input: { items: [item(product)] } })

  using one = await holdCommit(faulty, restock)
  expect((await checkout()).status).toBe(503)
  const next = holdCommit(faulty, restock)
  await untilLockWait(faulty)
  await one.finish()
  using two = await next
  // The row is locked again, and its value has changed.
  expect((await checkout()).status).toBe(503)
  const waiting = checkout()
  await untilLockWait(faulty)
  await two.finish()
  expect((await waiting).status).toBe(200)
})
