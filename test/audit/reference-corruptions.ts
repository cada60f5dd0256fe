import type { CheckName, Finding } from '@pointwise/server'
import { type Corruption, MISSING_ID, oneFinding } from './corruption.ts'
import type { ShopIds } from './seeded-shop.ts'

export function referenceCorruptions(ids: ShopIds): Corruption[] {
  return [...productReferences(ids), ...userReferences(ids), ...orderReferences(ids), ...missingCompanions(ids)]
}

function productReferences({ fresh, products: { cup, tea }, orders }: ShopIds): Corruption[] {
  const hour = { product_id: MISSING_ID, hour: '2026-03-01T10:00:00.000Z' }
  return [
    brokenReference(
      'a product of a missing store',
      `update products set store_id = ${MISSING_ID} where id = ${cup}`,
      missingRow('products', { id: cup }, 'store_id', 'stores'),
    ),
    brokenReference(
      'stock of a missing product',
      `insert into stock (id, product_id, stock) values (${fresh}, ${MISSING_ID}, 0)`,
      missingRow('stock', { id: fresh }, 'product_id', 'products'),
    ),
    brokenReference(
      'a stock change of a missing product',
      `insert into stock_changes (id, product_id, \`change\`, reason, idempotency_key)
        values (${fresh}, ${MISSING_ID}, 0, 'STOCKED', '00000000-0000-4000-8000-000000000000')`,
      missingRow('stock_changes', { id: fresh }, 'product_id', 'products'),
    ),
    brokenReference(
      'a line of a missing product',
      `insert into order_products (id, order_id, product_id, product_name, price, \`count\`)
        values (${fresh}, ${orders.pending}, ${MISSING_ID}, 'Tea', 0, 1)`,
      missingRow('order_products', { id: fresh }, 'product_id', 'products'),
    ),
    brokenReference(
      'a line of a missing order',
      `insert into order_products (id, order_id, product_id, product_name, price, \`count\`)
        values (${fresh}, ${MISSING_ID}, ${tea}, 'Tea', 100, 1)`,
      missingRow('order_products', { id: fresh }, 'order_id', 'orders'),
    ),
    brokenReference(
      'hourly sales of a missing product',
      `insert into product_sales (product_id, hour, \`count\`) values (${MISSING_ID}, '2026-03-01 10:00:00', 0)`,
      missingRow('product_sales', hour, 'product_id', 'products'),
    ),
  ]
}

function userReferences({ fresh, orders }: ShopIds): Corruption[] {
  return [
    brokenReference(
      'a wallet of a missing user',
      `insert into points (id, user_id, point) values (${fresh}, ${MISSING_ID}, 0)`,
      missingRow('points', { id: fresh }, 'user_id', 'users'),
    ),
    brokenReference(
      'an order of a missing user',
      `update orders set user_id = ${MISSING_ID} where id = ${orders.pending}`,
      missingRow('orders', { id: orders.pending }, 'user_id', 'users'),
      { events: 'the event has the original user' },
    ),
    brokenReference(
      'a payment by a missing user',
      `update payments set user_id = ${MISSING_ID} where order_id = ${orders.later}`,
      missingRow('payments', { order_id: orders.later }, 'user_id', 'users'),
      { payments: "the payment is not by the order's owner" },
    ),
  ]
}

function orderReferences({ fresh, users }: ShopIds): Corruption[] {
  return [
    {
      name: 'a history row of a missing wallet and a missing order',
      statements: `insert into point_histories (id, point_id, point, balance, use_type, order_id)
        values (${fresh}, ${MISSING_ID}, 0, 0, 'REFUND', ${MISSING_ID})`,
      check: 'references',
      findings: [
        missingRow('point_histories', { id: fresh }, 'point_id', 'points'),
        missingRow('point_histories', { id: fresh }, 'order_id', 'orders'),
      ],
    },
    brokenReference(
      'a payment of a missing order',
      `insert into payments (order_id, user_id, amount) values (${MISSING_ID}, ${users.ada}, 0)`,
      missingRow('payments', { order_id: MISSING_ID }, 'order_id', 'orders'),
    ),
    brokenReference(
      'a refund of a missing order',
      `insert into refunds (order_id, amount) values (${MISSING_ID}, 0)`,
      missingRow('refunds', { order_id: MISSING_ID }, 'order_id', 'orders'),
    ),
  ]
}

function missingCompanions({ fresh, products: { cup } }: ShopIds): Corruption[] {
  return [
    {
      name: 'a user without a wallet',
      statements: `insert into users (id, name) values (${fresh}, 'Eve')`,
      check: 'companions',
      findings: oneFinding('users', { id: fresh }, 'a row in points', 'none'),
    },
    {
      name: 'a product without stock',
      statements: `delete from stock where product_id = ${cup}`,
      check: 'companions',
      findings: oneFinding('products', { id: cup }, 'a row in stock', 'none'),
    },
  ]
}

const missingRow = (table: string, ids: Finding['ids'], column: string, referenced: string): Finding => ({
  what: table,
  ids,
  expected: `${column} the id of a row in ${referenced}`,
  found: `${column} ${MISSING_ID}`,
})

const brokenReference = (
  name: string,
  statements: string,
  finding: Finding,
  alsoBroken: Partial<Record<CheckName, string>> = {},
): Corruption => ({ name, statements, check: 'references', findings: [finding], alsoBroken })
