import type { CheckName, Finding } from '@pointwise/server'
import { type Corruption, oneFinding } from './corruption.ts'
import type { ShopIds } from './seeded-shop.ts'

export function rangeCorruptions(ids: ShopIds): Corruption[] {
  return [
    ...walletRanges(ids),
    ...historyRanges(ids),
    ...productRanges(ids),
    ...orderRanges(ids),
    ...lineRanges(ids),
    ...saleRanges(ids),
  ]
}

type Row = [table: string, ids: Finding['ids'], expected: string, found: string]

const outOfRange = (
  name: string,
  statements: string,
  row: Row,
  alsoBroken: Partial<Record<CheckName, string>> = {},
): Corruption => ({ name, statements, check: 'ranges', findings: oneFinding(...row), alsoBroken })

function walletRanges({ wallets: { ben } }: ShopIds): Corruption[] {
  const alsoBroken = { balances: 'the history does not contain the change', total: 'the sum of all wallets differs' }
  return [
    outOfRange(
      'a balance above the limit',
      `update points set point = 1000001 where id = ${ben}`,
      ['points', { id: ben }, 'point from 0 to 1000000', 'point 1000001'],
      alsoBroken,
    ),
    outOfRange(
      'a negative balance',
      `update points set point = -1 where id = ${ben}`,
      ['points', { id: ben }, 'point from 0 to 1000000', 'point -1'],
      alsoBroken,
    ),
  ]
}

function historyRanges({ fresh, wallets: { ben }, histories: { later, bensCharge }, orders }: ShopIds): Corruption[] {
  const points = 'point > 0 for CHARGE, <= 0 for USE, >= 0 for REFUND'
  const orderIds = 'order_id null for CHARGE, an order for USE and REFUND'
  const chains = 'the balance does not follow from the previous row'
  const events = 'the event has the original values'
  return [
    outOfRange(
      'a negative balance in a history row',
      `update point_histories set balance = -1 where id = ${later}`,
      ['point_histories', { id: later }, 'balance from 0 to 1000000', 'balance -1'],
      { chains, events },
    ),
    outOfRange(
      'a history row of an unknown type',
      `insert into point_histories (id, point_id, point, balance, use_type, order_id)
        values (${fresh}, ${ben}, 0, 400, 'GIFT', ${orders.pending})`,
      ['point_histories', { id: fresh }, 'use_type CHARGE or USE or REFUND', 'use_type GIFT'],
    ),
    outOfRange(
      'a USE row with positive points',
      `update point_histories set point = 100, balance = 600 where id = ${later}`,
      ['point_histories', { id: later }, points, 'point 100'],
      { balances: 'the sum of the history differs', uses: "the points are not the order's total", events },
    ),
    outOfRange(
      'a charge with an order',
      `update point_histories set order_id = ${orders.pending} where id = ${bensCharge}`,
      ['point_histories', { id: bensCharge }, orderIds, `order_id ${orders.pending}`],
    ),
  ]
}

function productRanges({ fresh, products: { cup }, stock }: ShopIds): Corruption[] {
  const stockChange = (change: number, reason: string) =>
    `insert into stock_changes (id, product_id, \`change\`, reason, idempotency_key)
      values (${fresh}, ${cup}, ${change}, '${reason}', '00000000-0000-4000-8000-000000000000')`
  const withoutEvent = { told: 'the stock change has no event' }
  const changes = 'change >= 0 for STOCKED, > 0 for RESTOCKED, < 0 for CORRECTED'
  return [
    outOfRange('a negative price', `update products set price = -1 where id = ${cup}`, [
      'products',
      { id: cup },
      'price >= 0',
      'price -1',
    ]),
    outOfRange(
      'a negative sales volume',
      `update products set sales_volume = -1 where id = ${cup}`,
      ['products', { id: cup }, 'sales_volume >= 0', 'sales_volume -1'],
      { sales: 'the product was never sold' },
    ),
    outOfRange(
      'negative stock',
      `update stock set stock = -1 where product_id = ${cup}`,
      ['stock', { id: stock.cup }, 'stock >= 0', 'stock -1'],
      { stock: 'the stock is not the quantity stocked' },
    ),
    outOfRange(
      'a stock change with an unknown reason',
      stockChange(0, 'FOUND'),
      ['stock_changes', { id: fresh }, 'reason STOCKED or RESTOCKED or CORRECTED', 'reason FOUND'],
      withoutEvent,
    ),
    outOfRange(
      'a restock of 0',
      stockChange(0, 'RESTOCKED'),
      ['stock_changes', { id: fresh }, changes, 'change 0'],
      withoutEvent,
    ),
    outOfRange(
      'a correction of 0',
      stockChange(0, 'CORRECTED'),
      ['stock_changes', { id: fresh }, changes, 'change 0'],
      withoutEvent,
    ),
  ]
}

function orderRanges({ orders: { pending, later, refunded } }: ShopIds): Corruption[] {
  const paidAt = 'paid_at a time if the status is paid or refunded, otherwise null'
  return [
    outOfRange('an order with an unknown status', `update orders set status = 'lost' where id = ${pending}`, [
      'orders',
      { id: pending },
      'status pending or paid or cancelled or refunded',
      'status lost',
    ]),
    outOfRange(
      'a negative total',
      `update orders set total_price = -1 where id = ${pending}`,
      ['orders', { id: pending }, 'total_price >= 0', 'total_price -1'],
      { totals: 'the sum of the lines differs', events: 'the event has the original total' },
    ),
    outOfRange(
      'a payment time of an order that was not paid',
      `update orders set paid_at = '2026-03-01' where id = ${pending}`,
      ['orders', { id: pending }, paidAt, 'paid_at 2026-03-01T00:00:00.000Z'],
    ),
    outOfRange(
      'a paid order without a payment time',
      `update orders set paid_at = null where id = ${later}`,
      ['orders', { id: later }, paidAt, 'paid_at null'],
      { hours: 'the order has no hour' },
    ),
    outOfRange(
      'a negative payment',
      `update payments set amount = -1 where order_id = ${later}`,
      ['payments', { order_id: later }, 'amount >= 0', 'amount -1'],
      { payments: "the amount is not the order's total", total: 'the sum of payments differs' },
    ),
    outOfRange(
      'a negative refund',
      `update refunds set amount = -1 where order_id = ${refunded}`,
      ['refunds', { order_id: refunded }, 'amount >= 0', 'amount -1'],
      { refunds: "the amount is not the order's total", total: 'the sum of refunds differs' },
    ),
  ]
}

function lineRanges({ fresh, products: { mug }, orders, lines }: ShopIds): Corruption[] {
  const freeLine = (count: number) =>
    `insert into order_products (id, order_id, product_id, product_name, price, \`count\`)
      values (${fresh}, ${orders.pending}, ${mug}, 'Mug', 0, ${count})`
  const count = (found: number): Row => ['order_products', { id: fresh }, 'count from 1 to 1000', `count ${found}`]
  return [
    outOfRange(
      'a line with a negative price',
      `update order_products set price = -1 where order_id = ${orders.cancelled}`,
      ['order_products', { id: lines.cancelled }, 'price >= 0', 'price -1'],
      { totals: 'the sum of the lines differs' },
    ),
    outOfRange('a line with a quantity of 0', freeLine(0), count(0)),
    outOfRange('a line with a quantity above the limit', freeLine(1_001), count(1_001)),
  ]
}

function saleRanges({ products: { cup, tea } }: ShopIds): Corruption[] {
  const halfHour = '2026-03-01T11:30:00.000Z'
  return [
    outOfRange(
      'negative hourly sales',
      `insert into product_sales (product_id, hour, \`count\`) values (${cup}, '2026-03-01 10:00:00', -1)`,
      ['product_sales', { product_id: cup, hour: '2026-03-01T10:00:00.000Z' }, 'count >= 0', 'count -1'],
      { hours: 'the product was never sold' },
    ),
    outOfRange(
      'hourly sales at half past an hour',
      `update product_sales set hour = '2026-03-01 11:30:00' where product_id = ${tea} and hour = '2026-03-01 11:00:00'`,
      ['product_sales', { product_id: tea, hour: halfHour }, 'hour the start of an hour', `hour ${halfHour}`],
    ),
  ]
}
