import type { Db } from '@pointwise/db'
import { expect } from 'vitest'
import { run } from './database.ts'

/** Each selects the rows that break the books; of sound books none. */
const INVARIANTS: Record<string, string> = {
  'a balance is the sum of its history': `
    select points.id, point, coalesce(sum(history.amount), 0) as history
    from points left join (select point_id, point as amount from point_histories) history on history.point_id = points.id
    group by points.id, points.point having points.point <> coalesce(sum(history.amount), 0)`,
  'each history row continues the balance of the one before it': `
    select id from (
      select id, balance - point as before_it, coalesce(lag(balance) over (partition by point_id order by id), 0) as last
      from point_histories
    ) chain where before_it <> last`,
  'balances and stock are in their range': `
    select 'points' as place, id from points where point not between 0 and 1000000
    union all select 'history', id from point_histories where balance not between 0 and 1000000
    union all select 'stock', id from stock where stock < 0`,
  'stock and what was sold are all that was ever stocked': `
    select stock.product_id, stock.stock, stocked, coalesce(sold, 0) as sold
    from stock
    join (select product_id, sum(\`change\`) as stocked from stock_changes group by product_id) c using (product_id)
    left join (
      select product_id, sum(count) as sold from order_products
      join orders on orders.id = order_id and status = 'paid' group by product_id
    ) s using (product_id)
    where stock.stock + coalesce(sold, 0) <> stocked`,
  'sales volume is what was paid': `
    select products.id, sales_volume, coalesce(sold, 0) as sold from products
    left join (
      select product_id, sum(count) as sold from order_products
      join orders on orders.id = order_id and status = 'paid' group by product_id
    ) s on s.product_id = products.id
    where sales_volume <> coalesce(sold, 0)`,
  'the hourly rollup is what was paid': `
    select coalesce(rollup.product_id, sold.product_id) as product_id from product_sales rollup
    left join (
      select product_id, date_format(paid_at, '%Y-%m-%d %H:00:00') as hour, sum(count) as sold from order_products
      join orders on orders.id = order_id and status = 'paid' group by 1, 2
    ) sold on sold.product_id = rollup.product_id and sold.hour = rollup.hour
    where rollup.count <> coalesce(sold.sold, 0)`,
  'an order costs what its lines cost': `
    select orders.id from orders left join order_products on order_id = orders.id
    group by orders.id, total_price having total_price <> coalesce(sum(price * count), -1)`,
  'a paid order has one payment, one USE row and its event, of equal amounts': `
    select orders.id from orders
    left join payments on payments.order_id = orders.id
    left join (select order_id, count(*) as n, sum(point) as total from point_histories where use_type = 'USE'
      group by order_id) used on used.order_id = orders.id
    left join (select cast(json_extract(payload, '$.orderId') as unsigned) as order_id, count(*) as n,
      sum(json_extract(payload, '$.amount')) as total
      from events where type = 'order.paid' group by 1) told on told.order_id = orders.id
    where status in ('paid', 'refunded') and not (
      paid_at is not null and payments.amount = total_price and used.n = 1 and used.total = -total_price
      and told.n = 1 and told.total = total_price)
    or status in ('pending', 'cancelled') and not (
      paid_at is null and payments.order_id is null and used.n is null and told.n is null)`,
  'a refunded order has one refund, one REFUND row and its event, of equal amounts': `
    select orders.id from orders
    left join refunds on refunds.order_id = orders.id
    left join (select order_id, count(*) as n, sum(point) as total from point_histories where use_type = 'REFUND'
      group by order_id) returned on returned.order_id = orders.id
    left join (select cast(json_extract(payload, '$.orderId') as unsigned) as order_id, count(*) as n
      from events where type = 'order.refunded' group by 1) told on told.order_id = orders.id
    where status = 'refunded' and not (
      refunds.amount = total_price and returned.n = 1 and returned.total = total_price and told.n = 1)
    or status <> 'refunded' and not (refunds.order_id is null and returned.n is null and told.n is null)`,
  'every charge and every placed order has its event': `
    select 'charge' as what, id from point_histories where use_type = 'CHARGE' and id not in
      (select cast(json_extract(payload, '$.historyId') as unsigned) from events where type = 'points.charged')
    union all select 'order', id from orders where id not in
      (select cast(json_extract(payload, '$.orderId') as unsigned) from events where type = 'order.placed')`,
}

/** The books are sound: the invariants I1 to I5, and the outbox. */
export async function expectSoundBooks(db: Db): Promise<void> {
  const broken: Record<string, unknown[]> = {}
  for (const [promise, query] of Object.entries(INVARIANTS)) {
    const rows = await run(db, query)
    if (rows.length > 0) broken[promise] = rows
  }
  expect(broken).toEqual({})
  const [books] = await run<{ balances: string; changes: string }>(
    db,
    `select (select coalesce(sum(point), 0) from points) as balances,
      (select coalesce(sum(point), 0) from point_histories where use_type = 'CHARGE')
      - (select coalesce(sum(amount), 0) from payments) + (select coalesce(sum(amount), 0) from refunds) as changes`,
  )
  expect(Number(books?.changes), 'charges − payments + refunds').toBe(Number(books?.balances))
}
