import type { Db } from '@pointwise/db'
import { expect } from 'vitest'
import { run } from './database.ts'

const SOLD = "order_products join orders on orders.id = order_id and status = 'paid'"

/** How many events of a type there are about each row, and what they say of amounts and balances. */
const told = (type: string, id: string) => `(
  select cast(json_extract(payload, '$.${id}') as unsigned) as about, count(*) as n,
    sum(json_extract(payload, '$.amount')) as amount, max(json_extract(payload, '$.balance')) as balance
  from events where type = '${type}' group by 1) told on told.about`

/** Each selects the rows that break the books; of sound books none. */
const INVARIANTS: Record<string, string> = {
  'a balance is the sum of its history': `
    select points.id, points.point, coalesce(sum(history.point), 0) as history
    from points left join point_histories history on history.point_id = points.id
    group by points.id, points.point having points.point <> coalesce(sum(history.point), 0)`,
  'each history row continues the balance of the one before it': `
    select id from (
      select id, balance - point as before_it, coalesce(lag(balance) over (partition by point_id order by id), 0) as last
      from point_histories
    ) chain where before_it <> last`,
  'balances and stock are in their range': `
    select 'points' as place, id from points where point not between 0 and 1000000
    union all select 'history', id from point_histories where balance not between 0 and 1000000
    union all select 'stock', id from stock where stock < 0`,
  'every user has a wallet, every product its stock': `
    select 'user' as what, users.id from users left join points on user_id = users.id where points.id is null
    union all select 'product', products.id from products left join stock on product_id = products.id
      where stock.id is null`,
  'every line of an order names a product': `
    select order_id, product_id from order_products where product_id not in (select id from products)`,
  'stock and what was sold are all that was ever stocked': `
    select stock.product_id, stock.stock, stocked, sold from stock
    left join (select product_id, sum(\`change\`) as stocked from stock_changes group by product_id) c using (product_id)
    left join (select product_id, sum(count) as sold from ${SOLD} group by product_id) s using (product_id)
    where stock.stock + coalesce(sold, 0) <> coalesce(stocked, 0)`,
  'sales volume is what was paid': `
    select products.id, sales_volume, sold from products
    left join (select product_id, sum(count) as sold from ${SOLD} group by product_id) s on s.product_id = products.id
    where sales_volume <> coalesce(sold, 0)`,
  'the hourly rollup is what was paid': `
    select product_id, hour, sum(rolled_up) as rolled_up, sum(sold) as sold from (
      select product_id, hour, count as rolled_up, 0 as sold from product_sales
      union all
      select product_id, cast(date_format(paid_at, '%Y-%m-%d %H:00:00') as datetime), 0, count from ${SOLD}
    ) hours group by product_id, hour having sum(rolled_up) <> sum(sold)`,
  'an order costs what its lines cost': `
    select orders.id from orders left join order_products on order_id = orders.id
    group by orders.id, total_price having total_price <> coalesce(sum(price * count), -1)`,
  'a paid order has one payment, one USE row of its owner and one event, and they agree': `
    select orders.id from orders
    join points on points.user_id = orders.user_id
    left join payments on payments.order_id = orders.id
    left join (
      select order_id, count(*) as n, sum(point) as total, max(balance) as balance, max(point_id) as point_id
      from point_histories where use_type = 'USE' group by order_id
    ) used on used.order_id = orders.id
    left join ${told('order.paid', 'orderId')} = orders.id
    where status in ('paid', 'refunded') and not coalesce(
      paid_at = payments.created_at and payments.user_id = orders.user_id and payments.amount = total_price
      and used.n = 1 and used.total = -total_price and used.point_id = points.id
      and told.n = 1 and told.amount = total_price and told.balance = used.balance, false)
    or status in ('pending', 'cancelled') and not (
      paid_at is null and payments.order_id is null and used.n is null and told.n is null)`,
  'a refunded order has one refund, one REFUND row of its owner and one event, and they agree': `
    select orders.id from orders
    join points on points.user_id = orders.user_id
    left join refunds on refunds.order_id = orders.id
    left join (
      select order_id, count(*) as n, sum(point) as total, max(balance) as balance, max(point_id) as point_id
      from point_histories where use_type = 'REFUND' group by order_id
    ) returned on returned.order_id = orders.id
    left join ${told('order.refunded', 'orderId')} = orders.id
    where status = 'refunded' and not coalesce(
      refunds.amount = total_price and returned.n = 1 and returned.total = total_price
      and returned.point_id = points.id
      and told.n = 1 and told.amount = total_price and told.balance = returned.balance, false)
    or status <> 'refunded' and not (refunds.order_id is null and returned.n is null and told.n is null)`,
  'every charge, and every order that was placed or cancelled, has its one event': `
    select 'charge' as what, id, n from point_histories left join ${told('points.charged', 'historyId')} = id
      where use_type = 'CHARGE' and not coalesce(
        told.n = 1 and told.amount = point and told.balance = point_histories.balance, false)
    union all select 'order', id, n from orders left join ${told('order.placed', 'orderId')} = id
      where not coalesce(n = 1, false)
    union all select 'cancelled order', id, n from orders left join ${told('order.cancelled', 'orderId')} = id
      where coalesce(n, 0) <> (status = 'cancelled')`,
  'charges less payments plus refunds are the balances': `
    select * from (
      select (select coalesce(sum(point), 0) from points) as balances,
        (select coalesce(sum(point), 0) from point_histories where use_type = 'CHARGE')
        - (select coalesce(sum(amount), 0) from payments) + (select coalesce(sum(amount), 0) from refunds) as changes
    ) books where balances <> changes`,
}

/** The promises that the books break, each with the rows that break it: the invariants I1 to I5, and the outbox. */
export async function brokenPromises(db: Db): Promise<Record<string, unknown[]>> {
  const broken: Record<string, unknown[]> = {}
  for (const [promise, query] of Object.entries(INVARIANTS)) {
    const rows = await run(db, query)
    if (rows.length > 0) broken[promise] = rows
  }
  return broken
}

export async function expectSoundBooks(db: Db): Promise<void> {
  expect(await brokenPromises(db)).toEqual({})
}
