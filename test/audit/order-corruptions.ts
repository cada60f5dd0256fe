import { type Corruption, oneFinding } from './corruption.ts'
import { LATER, PAID_AT, type ShopIds } from './seeded-shop.ts'

const TOTAL_DIFFERS = { total: 'the sum of payments and refunds differs' }
const EVENT_DIFFERS = { events: 'the event has the original values' }

export function orderCorruptions({ orders, users }: ShopIds): Corruption[] {
  const { pending, cancelled } = orders
  return [
    {
      name: 'a line with a different price',
      statements: `update order_products set price = 101 where order_id = ${pending}`,
      check: 'totals',
      findings: oneFinding('orders', { id: pending }, 'total_price 101', 'total_price 100'),
    },
    {
      name: 'an order with a different total',
      statements: `update orders set total_price = 99 where id = ${pending}`,
      check: 'totals',
      findings: oneFinding('orders', { id: pending }, 'total_price 100', 'total_price 99'),
      alsoBroken: EVENT_DIFFERS,
    },
    {
      name: 'an order without lines',
      statements: `delete from order_products where order_id = ${cancelled}`,
      check: 'totals',
      findings: oneFinding('orders', { id: cancelled }, 'at least one line', 'none'),
    },
    ...paymentCorruptions(orders, users),
    ...refundCorruptions(orders),
  ]
}

function paymentCorruptions({ later, pending }: ShopIds['orders'], users: ShopIds['users']): Corruption[] {
  const payment = (amount: number, user: number, at: string) => `amount ${amount}, user_id ${user}, created_at ${at}`
  const bensPayment = payment(100, users.ben, LATER)
  const findings = (order: number, expected: string, found: string) =>
    oneFinding('payments', { order_id: order }, expected, found)
  return [
    {
      name: 'a deleted payment',
      statements: `delete from payments where order_id = ${later}`,
      check: 'payments',
      findings: findings(later, bensPayment, 'none'),
      alsoBroken: TOTAL_DIFFERS,
    },
    {
      name: 'a payment with a different amount',
      statements: `update payments set amount = 101 where order_id = ${later}`,
      check: 'payments',
      findings: findings(later, bensPayment, payment(101, users.ben, LATER)),
      alsoBroken: TOTAL_DIFFERS,
    },
    {
      name: 'a payment by a different user',
      statements: `update payments set user_id = ${users.ada} where order_id = ${later}`,
      check: 'payments',
      findings: findings(later, bensPayment, payment(100, users.ada, LATER)),
    },
    {
      name: 'a payment at a different time',
      statements: `update payments set created_at = '2026-03-01 10:15:00' where order_id = ${later}`,
      check: 'payments',
      findings: findings(later, bensPayment, payment(100, users.ben, PAID_AT)),
    },
    {
      name: 'a payment of an order that was not paid',
      statements: `insert into payments (order_id, user_id, amount, created_at)
        values (${pending}, ${users.ada}, 0, '2026-03-01 10:15:00')`,
      check: 'payments',
      findings: findings(pending, 'none, because the order is pending', payment(0, users.ada, PAID_AT)),
    },
    {
      name: 'a paid order with the status pending',
      statements: `update orders set status = 'pending', paid_at = null where id = ${later}`,
      check: 'payments',
      findings: findings(later, 'none, because the order is pending', bensPayment),
      alsoBroken: {
        uses: 'a pending order must not have a USE row',
        stock: 'a pending order does not reduce the stock',
        sales: 'a pending order does not count as sold',
        hours: 'a pending order does not count as sold',
        ...EVENT_DIFFERS,
      },
    },
  ]
}

function refundCorruptions({ paid, refunded }: ShopIds['orders']): Corruption[] {
  const findings = (order: number, expected: string, found: string) =>
    oneFinding('refunds', { order_id: order }, expected, found)
  return [
    {
      name: 'a deleted refund',
      statements: `delete from refunds where order_id = ${refunded}`,
      check: 'refunds',
      findings: findings(refunded, 'amount 100', 'none'),
      alsoBroken: TOTAL_DIFFERS,
    },
    {
      name: 'a refund with a different amount',
      statements: `update refunds set amount = 99 where order_id = ${refunded}`,
      check: 'refunds',
      findings: findings(refunded, 'amount 100', 'amount 99'),
      alsoBroken: TOTAL_DIFFERS,
    },
    {
      name: 'a refund of an order that was not refunded',
      statements: `insert into refunds (order_id, amount) values (${paid}, 0)`,
      check: 'refunds',
      findings: findings(paid, 'none, because the order is paid', 'amount 0'),
    },
  ]
}
