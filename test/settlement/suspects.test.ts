import { expect, test } from 'vitest'
import { openFaultyShop } from '../faults/faulty-shop.ts'
import { run } from '../setup/database.ts'
import { post } from '../setup/raw.ts'
import { item } from '../setup/shop.ts'
import { underWay } from './together.ts'

test('a row that passes from hand to hand is waited for in line, also after it once took too long', async () => {
  await using faulty = await openFaultyShop()
  const { shop, direct } = faulty
  const product = await shop.givenProduct({ price: 1 })
  const { token } = await shop.givenUser({ points: 100 })
  const restock = () => shop.asAdmin().products.restock({ productId: product.id, quantity: 1 })
  const checkout = () => post(shop, 'orders.checkout', { token, input: { items: [item(product)] } })
  const waits = `
    select 1 from information_schema.innodb_trx
    join information_schema.processlist on id = trx_mysql_thread_id and db = database()
    where trx_state = 'LOCK WAIT'`
  // The database brings this table up to date when nobody has read it for a tenth of a second.
  const inLine = () => expect.poll(() => run(direct, waits), { timeout: 10_000, interval: 150 }).toHaveLength(1)

  const one = await underWay(faulty, restock)
  expect((await checkout()).status).toBe(503)
  const next = underWay(faulty, restock)
  await inLine()
  await one.end()
  const two = await next
  // It is locked again, and tells that it was changed meanwhile.
  expect((await checkout()).status).toBe(503)
  const waiting = checkout()
  await inLine()
  await two.end()
  expect((await waiting).status).toBe(200)
})
