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

/** Until somebody waits for the lock of a stock, rather than passing by it with SKIP LOCKED. */
const lockWaits = ({ direct }: FaultyShop) => eventually(() => run(direct, WAITS)).toHaveLength(1)

test('a row that was had again is waited for as any other', async () => {
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
  const restocked = await holdCommit(faulty, () =>
    shop.asAdmin().products.restock({ productId: product.id, quantity: 1 }),
  )
  const waiting = checkout()
  await lockWaits(faulty)
  await restocked.finish()
  expect((await waiting).status).toBe(200)
})

test('a row that passes from hand to hand is waited for in line, also after it once took too long', async () => {
  await using faulty = await openFaultyShop()
  const { shop } = faulty
  const product = await shop.givenProduct({ price: 1 })
  const { token } = await shop.givenUser({ points: 100 })
  const restock = () => shop.asAdmin().products.restock({ productId: product.id, quantity: 1 })
  const checkout = () => post(shop, 'orders.checkout', { token, input: { items: [item(product)] } })

  const one = await holdCommit(faulty, restock)
  expect((await checkout()).status).toBe(503)
  const next = holdCommit(faulty, restock)
  await lockWaits(faulty)
  await one.finish()
  const two = await next
  // It is locked again, and tells that it was changed meanwhile.
  expect((await checkout()).status).toBe(503)
  const waiting = checkout()
  await lockWaits(faulty)
  await two.finish()
  expect((await waiting).status).toBe(200)
})
