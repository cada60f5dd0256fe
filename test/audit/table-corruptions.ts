import type { CheckName, Finding } from '@pointwise/server'
import { type Fault, NOWHERE, one } from './corruptions.ts'
import type { Books } from './sound-shop.ts'

const KEY = "'00000000-0000-4000-8000-000000000000'"

type Row = [what: string, ids: Finding['ids'], expected: string, found: string]

const broken =
  (check: CheckName) =>
  (name: string, plant: string, row: Row, follows: Fault['follows'] = {}): Fault => ({
    name,
    plant,
    check,
    findings: one(...row),
    follows,
  })

export function faultsOfReferences({ fresh, users, products, orders }: Books): Fault[] {
  const leads = broken('references')
  const has = broken('companions')
  /** The row, the column whose value leads nowhere, and where it should lead. */
  const lost = (table: string, ids: Finding['ids'], column: string, parent: string): Row => [
    table,
    ids,
    `${column} a row of ${parent}`,
    `${column} ${NOWHERE}`,
  ]
  const { tea, cup } = products
  const hour = { product_id: NOWHERE, hour: '2026-03-01T10:00:00.000Z' }
  return [
    leads(
      'a wallet of nobody',
      `insert into points (id, user_id, point) values (${fresh}, ${NOWHERE}, 0)`,
      lost('points', { id: fresh }, 'user_id', 'users'),
    ),
    {
      name: 'a history of no wallet and no order',
      plant: `insert into point_histories (id, point_id, point, balance, use_type, order_id)
        values (${fresh}, ${NOWHERE}, 0, 0, 'REFUND', ${NOWHERE})`,
      check: 'references',
      findings: [
        ...one(...lost('point_histories', { id: fresh }, 'point_id', 'points')),
        ...one(...lost('point_histories', { id: fresh }, 'order_id', 'orders')),
      ],
    },
    leads(
      'a product of no store',
      `update products set store_id = ${NOWHERE} where id = ${cup}`,
      lost('products', { id: cup }, 'store_id', 'stores'),
    ),
    leads(
      'stock of no product',
      `insert into stock (id, product_id, stock) values (${fresh}, ${NOWHERE}, 0)`,
      lost('stock', { id: fresh }, 'product_id', 'products'),
    ),
    leads(
      'a delivery of no product',
      `insert into stock_changes (id, product_id, \`change\`, reason, idempotency_key)
        values (${fresh}, ${NOWHERE}, 0, 'STOCKED', ${KEY})`,
      lost('stock_changes', { id: fresh }, 'product_id', 'products'),
    ),
    leads(
      'an order of nobody',
      `update orders set user_id = ${NOWHERE} where id = ${orders.pending}`,
      lost('orders', { id: orders.pending }, 'user_id', 'users'),
      { events: 'somebody placed it' },
    ),
    leads(
      'a line of no order',
      `insert into order_products (id, order_id, product_id, product_name, price, \`count\`)
        values (${fresh}, ${NOWHERE}, ${tea}, 'Tea', 100, 1)`,
      lost('order_products', { id: fresh }, 'order_id', 'orders'),
    ),
    leads(
      'a line of no product',
      `insert into order_products (id, order_id, product_id, product_name, price, \`count\`)
        values (${fresh}, ${orders.pending}, ${NOWHERE}, 'Tea', 0, 1)`,
      lost('order_products', { id: fresh }, 'product_id', 'products'),
    ),
    leads(
      'a payment of no order',
      `insert into payments (order_id, user_id, amount) values (${NOWHERE}, ${users.ada}, 0)`,
      lost('payments', { order_id: NOWHERE }, 'order_id', 'orders'),
    ),
    leads(
      'a payment by nobody',
      `update payments set user_id = ${NOWHERE} where order_id = ${orders.later}`,
      lost('payments', { order_id: orders.later }, 'user_id', 'users'),
      { payments: 'it is not by the owner' },
    ),
    leads(
      'a refund of no order',
      `insert into refunds (order_id, amount) values (${NOWHERE}, 0)`,
      lost('refunds', { order_id: NOWHERE }, 'order_id', 'orders'),
    ),
    leads(
      'sales of no product',
      `insert into product_sales (product_id, hour, \`count\`) values (${NOWHERE}, '2026-03-01 10:00:00', 0)`,
      lost('product_sales', hour, 'product_id', 'products'),
    ),
    has('a user without a wallet', `insert into users (id, name) values (${fresh}, 'Eve')`, [
      'users',
      { id: fresh },
      'one row of points',
      'none',
    ]),
    has('a product without stock', `delete from stock where product_id = ${cup}`, [
      'products',
      { id: cup },
      'one row of stock',
      'none',
    ]),
  ]
}

export function faultsOfRanges({ fresh, wallets, histories, orders, products, stock, lines }: Books): Fault[] {
  const off = broken('ranges')
  const { ben } = wallets
  const { tea, mug, cup } = products
  const history = (point: number, balance: number, type: string) =>
    `insert into point_histories (id, point_id, point, balance, use_type, order_id)
      values (${fresh}, ${ben}, ${point}, ${balance}, '${type}', ${orders.pending})`
  const line = (price: number, count: number) =>
    `insert into order_products (id, order_id, product_id, product_name, price, \`count\`)
      values (${fresh}, ${orders.pending}, ${mug}, 'Mug', ${price}, ${count})`
  const change = (value: number, reason: string) =>
    `insert into stock_changes (id, product_id, \`change\`, reason, idempotency_key)
      values (${fresh}, ${cup}, ${value}, '${reason}', ${KEY})`
  const signs = 'point above 0 of a CHARGE, not above 0 of a USE, at least 0 of a REFUND'
  const directions = 'change above 0 where RESTOCKED, below 0 where CORRECTED'
  const times = 'paid_at a time of an order that was paid or refunded, none of others'
  const books = { balances: 'its history knows nothing of it', total: 'nobody charged it' }
  return [
    off(
      'a balance above the limit',
      `update points set point = 1000001 where id = ${ben}`,
      ['points', { id: ben }, 'point 0 to 1000000', 'point 1000001'],
      books,
    ),
    off(
      'a balance below zero',
      `update points set point = -1 where id = ${ben}`,
      ['points', { id: ben }, 'point 0 to 1000000', 'point -1'],
      books,
    ),
    off(
      'a balance in a history below zero',
      `update point_histories set balance = -1 where id = ${histories.later}`,
      ['point_histories', { id: histories.later }, 'balance 0 to 1000000', 'balance -1'],
      { chains: 'it continues no balance', events: 'the event tells of another' },
    ),
    off('a history of an unknown type', history(0, 400, 'GIFT'), [
      'point_histories',
      { id: fresh },
      'use_type CHARGE or USE or REFUND',
      'use_type GIFT',
    ]),
    off(
      'a USE that adds points',
      `update point_histories set point = 100, balance = 600 where id = ${histories.later}`,
      ['point_histories', { id: histories.later }, signs, 'point 100'],
      { balances: 'the sum is another', uses: 'it is not what was paid', events: 'the event tells of another' },
    ),
    off(
      'a charge of an order',
      `update point_histories set order_id = ${orders.pending} where id = ${histories.bensCharge}`,
      [
        'point_histories',
        { id: histories.bensCharge },
        'order_id none of a CHARGE, an order of others',
        `order_id ${orders.pending}`,
      ],
    ),
    off('a price below zero', `update products set price = -1 where id = ${cup}`, [
      'products',
      { id: cup },
      'price at least 0',
      'price -1',
    ]),
    off(
      'a sales volume below zero',
      `update products set sales_volume = -1 where id = ${cup}`,
      ['products', { id: cup }, 'sales_volume at least 0', 'sales_volume -1'],
      { sales: 'nobody bought less than nothing' },
    ),
    off(
      'stock below zero',
      `update stock set stock = -1 where product_id = ${cup}`,
      ['stock', { id: stock.cup }, 'stock at least 0', 'stock -1'],
      { stock: 'it is not what was stocked' },
    ),
    off('a change of stock for an unknown reason', change(0, 'FOUND'), [
      'stock_changes',
      { id: fresh },
      'reason STOCKED or RESTOCKED or CORRECTED',
      'reason FOUND',
    ]),
    off('a delivery of nothing', change(0, 'RESTOCKED'), ['stock_changes', { id: fresh }, directions, 'change 0']),
    off('a correction of nothing', change(0, 'CORRECTED'), ['stock_changes', { id: fresh }, directions, 'change 0']),
    off('an order of an unknown status', `update orders set status = 'lost' where id = ${orders.pending}`, [
      'orders',
      { id: orders.pending },
      'status pending or paid or cancelled or refunded',
      'status lost',
    ]),
    off(
      'a total below zero',
      `update orders set total_price = -1 where id = ${orders.pending}`,
      ['orders', { id: orders.pending }, 'total_price at least 0', 'total_price -1'],
      { totals: 'no lines cost that', events: 'the event tells of another' },
    ),
    off(
      'a time of payment of an order that was not paid',
      `update orders set paid_at = '2026-03-01' where id = ${orders.pending}`,
      ['orders', { id: orders.pending }, times, 'paid_at 2026-03-01T00:00:00.000Z'],
    ),
    off(
      'no time of payment of an order that was paid',
      `update orders set paid_at = null where id = ${orders.later}`,
      ['orders', { id: orders.later }, times, 'paid_at none'],
      { hours: 'no hour is that of the sale' },
    ),
    off(
      'a line of a price below zero',
      `update order_products set price = -1 where order_id = ${orders.cancelled}`,
      ['order_products', { id: lines.cancelled }, 'price at least 0', 'price -1'],
      { totals: 'the total is another' },
    ),
    off('a line of nothing', line(0, 0), ['order_products', { id: fresh }, 'count 1 to 1000', 'count 0']),
    off('a line of too much', line(0, 1_001), ['order_products', { id: fresh }, 'count 1 to 1000', 'count 1001']),
    off(
      'a payment below zero',
      `update payments set amount = -1 where order_id = ${orders.later}`,
      ['payments', { order_id: orders.later }, 'amount at least 0', 'amount -1'],
      { payments: 'it is not the total', total: 'too little was paid' },
    ),
    off(
      'a refund below zero',
      `update refunds set amount = -1 where order_id = ${orders.refunded}`,
      ['refunds', { order_id: orders.refunded }, 'amount at least 0', 'amount -1'],
      { refunds: 'it is not the total', total: 'too little was refunded' },
    ),
    off(
      'sales below zero',
      `insert into product_sales (product_id, hour, \`count\`) values (${cup}, '2026-03-01 10:00:00', -1)`,
      ['product_sales', { product_id: cup, hour: '2026-03-01T10:00:00.000Z' }, 'count at least 0', 'count -1'],
      { hours: 'nobody bought less than nothing' },
    ),
    off(
      'sales in half an hour',
      `update product_sales set hour = '2026-03-01 11:30:00' where product_id = ${tea} and hour = '2026-03-01 11:00:00'`,
      [
        'product_sales',
        { product_id: tea, hour: '2026-03-01T11:30:00.000Z' },
        'hour the start of an hour',
        'hour 2026-03-01T11:30:00.000Z',
      ],
    ),
  ]
}
