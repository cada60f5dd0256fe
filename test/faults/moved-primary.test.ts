import { expect, test } from 'vitest'
import { databaseUrl, run } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { openSeveralHosts } from '../setup/several-hosts.ts'
import { item, newKey, openShop } from '../setup/shop.ts'

const CLIENTS = 10
/** From one host to the next, in the order of the URL. */
const MOVES = 4

test('While the primary moves from host to host under load, every checkout is made once and no call fails', async () => {
  await using several = await openSeveralHosts(databaseUrl())
  const { hosts } = several
  await using shop = await openShop({ behind: () => several.url })
  const product = await shop.givenProduct({ price: 3, stock: 100_000 })
  const users = await shop.givenUsers(CLIENTS, { points: 100_000 })
  const orders = new Set<number>()
  let isOpen = true
  const buying = users.map(async ({ client }) => {
    while (isOpen) {
      const { order } = await client.orders.checkout.mutate({ items: [item(product)], idempotencyKey: newKey() })
      orders.add(order.id)
    }
  })
  for (let moves = 0; moves < MOVES; moves++) {
    const before = orders.size
    await eventually(() => orders.size).toBeGreaterThan(before + CLIENTS)
    const [from, to] = [hosts[moves % hosts.length], hosts[(moves + 1) % hosts.length]]
    // A planned switchover, then one in which the primary is killed.
    if (moves % 2 === 0) from?.setReadOnly(true)
    else from?.disable()
    to?.setReadOnly(false)
    to?.enable()
    if (moves % 2 === 1) from?.setReadOnly(true)
  }
  const before = orders.size
  await eventually(() => orders.size).toBeGreaterThan(before + CLIENTS)
  isOpen = false
  await Promise.all(buying)
  const paid = await run<{ id: number }>(shop.db, "select id from orders where status = 'paid' order by id")
  expect(paid.map(({ id }) => id)).toEqual([...orders].toSorted((a, b) => a - b))
})
