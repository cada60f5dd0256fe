import { expect, test } from 'vitest'
import { ContendedRows } from '../../server/src/payments/settlement/contended-rows.ts'
import { DeadlineReserve } from '../../server/src/payments/settlement/deadline-reserve.ts'
import { settleBatch } from '../../server/src/payments/settlement/settle-batch.ts'
import { item, newKey, openShop } from '../setup/shop.ts'
import { locksWithSubquery } from '../setup/statements.ts'

test('A statement that locks contains no subquery, also when a batch tries contended rows', async () => {
  await using shop = await openShop()
  const product = await shop.givenProduct()
  const { id: userId } = await shop.givenUser({ points: 500 })
  const order = { items: [item(product)], idempotencyKey: newKey() }
  const { id: orderId } = await shop.asUser(userId).orders.place(order)
  const contendedRows = new ContendedRows()
  const rows = [`user:${userId}`, `product:${product.id}`, `order:${orderId}`] as const
  contendedRows.update({ acquired: [], heldByOthers: new Map(rows.map((row) => [row, 'pending'])) })
  shop.statements.length = 0
  const request = { kind: 'pay', userId, orderId, now: new Date() } as const
  const [outcome] = await settleBatch(
    { pool: shop.db, contendedRows, deadlineReserve: new DeadlineReserve(), onFailedAttempt: () => undefined },
    [request],
  )

  expect(outcome?.kind).toBe('paid')
  const tried = shop.statements.filter((sql) => sql.endsWith('for update skip locked'))
  const tables = tried.map((sql) => /from `(\w+)`/.exec(sql)?.[1])
  expect(tables).toEqual(['orders', 'points', 'stock', 'users', 'products', 'product_sales'])
  // test/setup/sent-statements.ts asserts this for the statements of every suite.
  expect(shop.statements.filter(locksWithSubquery)).toEqual([])
})

test.each([
  ['select `id`, exists (select 1 from `users`) from `points` where `id` in (?) for update', true],
  ['select `id` from `points` where `id` in (select `id` from `users`) lock in share mode', true],
  ['update `points` set `point` = 1 where `user_id` in (select `id` from `users`)', true],
  ['update `points` inner join (\n select 1 as `id`) as `v` on `v`.`id` = `points`.`id` set `point` = 1', true],
  ['delete from `points` where `user_id` in (\n select `id` from `users`)', true],
  ['with `v` as (select 1 as `id`) update `points` inner join `v` using (`id`) set `point` = 1', true],
  ['with `v` as (select 1 as `id`) select `id` from `points` inner join `v` using (`id`) for share', true],
  ['insert into `points` (`user_id`, `point`) select `id`, 0 from `users`', true],
  ['insert into `points` (`id`) values (1) on duplicate key update `point` = (select 1)', true],
  ['select `id` from `points` where `id` in (?) for update', false],
  ["update `users` set `name` = 'it\\'s (select 1)' where `id` = 1", false],
  ["insert into `users` (`name`) values ('select')", false],
  ['with `v` as (select 1 as `id`) select `updated_at` from `points`', false],
  ['select `id` from (select 1 as `id`) as `one`', false],
])('A statement with a subquery is recognised if it locks: %s', (sql, locks) => {
  expect(locksWithSubquery(sql)).toBe(locks)
})
