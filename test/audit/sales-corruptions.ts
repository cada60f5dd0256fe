import type { Finding } from '@pointwise/server'
import { type Fault, NOWHERE, one } from './corruptions.ts'
import type { Books } from './sound-shop.ts'

export function faultsOfSales({ products }: Books): Fault[] {
  const { tea, mug } = products
  const TEN = '2026-03-01T10:00:00.000Z'
  const ELEVEN = '2026-03-01T11:00:00.000Z'
  const hour = (hour: string, expected: number, found: number) =>
    one('product_sales', { product_id: tea, hour }, `count ${expected}`, `count ${found}`)
  return [
    {
      name: 'a lost piece of stock',
      plant: `update stock set stock = 10 where product_id = ${tea}`,
      check: 'stock',
      findings: one('stock', { product_id: tea }, 'stock 11, which is 14 stocked less 3 sold', 'stock 10'),
    },
    {
      name: 'a lost delivery',
      plant: `delete from stock_changes where product_id = ${mug}`,
      check: 'stock',
      findings: one('stock', { product_id: mug }, 'stock -1, which is 0 stocked less 1 sold', 'stock 4'),
    },
    {
      name: 'a sale that was never made',
      plant: `update products set sales_volume = 4 where id = ${tea}`,
      check: 'sales',
      findings: one('products', { id: tea }, 'sales_volume 3', 'sales_volume 4'),
    },
    {
      name: 'a line of another quantity',
      plant: `update order_products set \`count\` = 2, price = 125 where product_id = ${mug} and price = 250
        and order_id in (select id from orders where status = 'paid')`,
      check: 'sales',
      findings: one('products', { id: mug }, 'sales_volume 2', 'sales_volume 1'),
      follows: { stock: 'more was sold', hours: 'more was sold', events: 'fewer are told of' },
    },
    {
      name: 'an hour that counts too much',
      plant: `update product_sales set \`count\` = 3 where product_id = ${tea} and hour = '2026-03-01 10:00:00'`,
      check: 'hours',
      findings: hour(TEN, 2, 3),
    },
    {
      name: 'a lost hour',
      plant: `delete from product_sales where product_id = ${tea} and hour = '2026-03-01 11:00:00'`,
      check: 'hours',
      findings: hour(ELEVEN, 1, 0),
    },
    {
      name: 'an hour in which nobody bought',
      plant: `insert into product_sales (product_id, hour, \`count\`) values (${tea}, '2026-03-01 12:00:00', 1)`,
      check: 'hours',
      findings: hour('2026-03-01T12:00:00.000Z', 0, 1),
    },
    {
      name: 'a sale in another hour',
      plant: `update product_sales set hour = '2026-03-01 09:00:00'
        where product_id = ${tea} and hour = '2026-03-01 11:00:00'`,
      check: 'hours',
      findings: [...hour('2026-03-01T09:00:00.000Z', 0, 1), ...hour(ELEVEN, 1, 0)],
    },
  ]
}

export function faultsOfEvents({ events, histories, orders, products, users }: Books): Fault[] {
  const facts = [
    { type: 'points.charged', event: events.charged, ids: { history_id: histories.bensCharge } },
    { type: 'order.placed', event: events.placed, ids: { order_id: orders.pending } },
    { type: 'order.paid', event: events.paid, ids: { order_id: orders.paid } },
    { type: 'order.refunded', event: events.refunded, ids: { order_id: orders.refunded } },
    { type: 'order.cancelled', event: events.cancelled, ids: { order_id: orders.cancelled } },
  ]
  const told = (type: string, ids: Finding['ids'], found: string) => one('events', { type, ...ids }, '1', found)
  /** Another payload of an event, which MySQL and MariaDB give back with different spaces. */
  const untrue = (name: string, id: number, change: string, expected: string, found: string): Fault => ({
    name,
    plant: `update events set ${change} where id = ${id}`,
    check: 'events',
    findings: one('events', { id }, expected, found),
  })
  const set = (field: string, value: number) => `payload = json_set(payload, '$.${field}', ${value})`
  const { ada, ben } = users
  const { tea, mug } = products
  const order = (user: number, total: number, status: string, lines = `1 × product ${tea}`) =>
    `an order of user ${user}, total ${total}, status ${status}: ${lines}`
  const paid = order(ada, 450, 'paid', `2 × product ${tea}, 1 × product ${mug}`)
  const charge = `a CHARGE of 500 by user ${ben}, balance 500`
  return [
    ...facts.map(
      ({ type, event, ids }): Fault => ({
        name: `a ${type} that nobody was told of`,
        plant: `delete from events where id = ${event}`,
        check: 'told',
        findings: told(type, ids, 'none'),
      }),
    ),
    ...facts.map(
      ({ type, event, ids }): Fault => ({
        name: `a ${type} that is told twice`,
        plant: `insert into events (type, \`key\`, payload) select type, \`key\`, payload from events where id = ${event}`,
        check: 'told',
        findings: told(type, ids, '2'),
      }),
    ),
    untrue('a charge told of another amount', events.charged, set('amount', 501), charge, 'points.charged'),
    untrue('a charge told of another balance', events.charged, set('balance', 501), charge, 'points.charged'),
    untrue('a charge told to another user', events.charged, `\`key\` = 'user:${ada}'`, charge, 'points.charged'),
    untrue('a total told wrong', events.placed, set('totalPrice', 99), order(ada, 100, 'pending'), 'order.placed'),
    untrue('a payment told of another amount', events.paid, set('amount', 449), paid, 'order.paid'),
    untrue('a payment told of another balance', events.paid, set('balance', 0), paid, 'order.paid'),
    untrue('a payment told of another product', events.paid, set('items[0].productId', mug), paid, 'order.paid'),
    untrue('a payment told of more pieces', events.paid, set('items[0].quantity', 3), paid, 'order.paid'),
    untrue(
      'a payment told of fewer products',
      events.paid,
      "payload = json_remove(payload, '$.items[1]')",
      paid,
      'order.paid',
    ),
    untrue('a payment told of another user', events.paid, set('userId', ben), paid, 'order.paid'),
    untrue(
      'a refund told of another balance',
      events.refunded,
      set('balance', 0),
      order(ada, 100, 'refunded'),
      'order.refunded',
    ),
    untrue(
      'a delivery that was never made',
      events.restocked,
      set('change', 6),
      `product ${tea}, removed at none`,
      'product.restocked',
    ),
    {
      ...untrue('an event of nothing', events.charged, set('historyId', NOWHERE), '', 'points.charged'),
      findings: one('events', { id: events.charged }, 'a none of none by user none, balance none', 'points.charged'),
      follows: { told: 'nobody is told of the charge' },
    },
    {
      ...untrue('an event of another type', events.cancelled, `type = 'order.lost'`, '', 'order.lost'),
      findings: one(
        'events',
        { id: events.cancelled },
        order(ada, 250, 'cancelled', `1 × product ${mug}`),
        'order.lost',
      ),
      follows: { told: 'nobody is told of the cancellation' },
    },
    {
      ...untrue('a cancellation of another order', events.cancelled, set('orderId', orders.pending), '', ''),
      findings: one('events', { id: events.cancelled }, order(ada, 100, 'pending'), 'order.cancelled'),
      follows: { told: 'nobody is told of the cancellation' },
    },
  ]
}
