import type { CheckName, Finding } from '@pointwise/server'
import { type Books, LATER, PAID_AT } from './sound-shop.ts'

export interface Fault {
  name: string
  /** What a person does to the tables. */
  plant: string | string[]
  check: CheckName
  findings: Finding[]
  /** The checks that fail as well, by the nature of the fault, and why. */
  follows?: Partial<Record<CheckName, string>>
}

/** The id of no row. */
export const NOWHERE = 2 ** 40

const THE_TOTAL = { total: 'what is lost here is lost to the total' }
const THE_EVENT = { events: 'the event tells of another' }

export const one = (what: string, ids: Finding['ids'], expected: string, found: string): Finding[] => [
  { what, ids, expected, found },
]

export function faultsOfWallets({ wallets, histories, orders, users }: Books): Fault[] {
  const { ada, ben } = wallets
  const use = (order: number, expected: string, found: string) =>
    one('point_histories', { order_id: order }, expected, found)
  return [
    {
      name: 'a balance that nobody wrote down',
      plant: `update points set point = 551 where id = ${ada}`,
      check: 'balances',
      findings: one('points', { id: ada }, 'point 550', 'point 551'),
      follows: { total: 'a point that nobody charged' },
    },
    {
      name: 'points from nowhere',
      plant: `update points set point = 451 where id = ${ben}`,
      check: 'total',
      findings: one('points', {}, '950 = 1500 charged − 650 paid + 100 refunded', '1001'),
      follows: { balances: 'some wallet must hold them' },
    },
    {
      name: 'a lost charge',
      plant: `delete from point_histories where id = ${histories.bensCharge}`,
      check: 'balances',
      findings: one('points', { id: ben }, 'point -100', 'point 400'),
      follows: {
        chains: 'the next row continues nothing',
        total: 'what was charged is no longer known',
        ...THE_EVENT,
      },
    },
    {
      name: 'a balance that skips a change',
      plant: `update point_histories set balance = 399 where id = ${histories.later}`,
      check: 'chains',
      findings: one('point_histories', { id: histories.later }, 'balance 400, which is 500 and -100', 'balance 399'),
      follows: THE_EVENT,
    },
    {
      name: 'a charge of another amount',
      plant: `update point_histories set point = 501 where id = ${histories.bensCharge}`,
      check: 'chains',
      findings: one('point_histories', { id: histories.bensCharge }, 'balance 501, which is 0 and 501', 'balance 500'),
      follows: { balances: 'the sum is another', ...THE_TOTAL, ...THE_EVENT },
    },
    {
      name: 'a lost USE row',
      plant: `delete from point_histories where id = ${histories.later}`,
      check: 'uses',
      findings: use(orders.later, `1 USE of -100 in wallet ${ben}`, 'none'),
      follows: { balances: 'the sum is another' },
    },
    {
      name: 'a second USE row',
      plant: `insert into point_histories (point_id, point, balance, use_type, order_id)
        values (${ben}, 0, 400, 'USE', ${orders.later})`,
      check: 'uses',
      findings: use(orders.later, `1 USE of -100 in wallet ${ben}`, '2 USE, together -100'),
    },
    {
      name: 'a USE row of another amount',
      plant: [
        `update point_histories set point = -101, balance = 399 where id = ${histories.later}`,
        `update points set point = 399 where id = ${ben}`,
      ],
      check: 'uses',
      findings: use(orders.later, `1 USE of -100 in wallet ${ben}`, '1 USE, together -101'),
      follows: { ...THE_TOTAL, ...THE_EVENT },
    },
    {
      name: 'an order that another wallet paid',
      plant: [
        `update orders set user_id = ${users.ada} where id = ${orders.later}`,
        `update payments set user_id = ${users.ada} where order_id = ${orders.later}`,
      ],
      check: 'uses',
      findings: use(
        orders.later,
        `1 USE of -100 in wallet ${ada}`,
        '1 USE, together -100, 1 of them in another wallet',
      ),
      follows: THE_EVENT,
    },
    {
      name: 'a USE row of an order that was not paid',
      plant: `insert into point_histories (point_id, point, balance, use_type, order_id)
        values (${ada}, 0, 550, 'USE', ${orders.pending})`,
      check: 'uses',
      findings: use(orders.pending, 'none: the order is pending', '1 USE, together 0'),
    },
    {
      name: 'a lost REFUND row',
      plant: `delete from point_histories where id = ${histories.refunded}`,
      check: 'returns',
      findings: use(orders.refunded, `1 REFUND of 100 in wallet ${ada}`, 'none'),
      follows: { balances: 'the sum is another' },
    },
    {
      name: 'a REFUND row of an order that was not refunded',
      plant: `insert into point_histories (point_id, point, balance, use_type, order_id)
        values (${ben}, 0, 400, 'REFUND', ${orders.later})`,
      check: 'returns',
      findings: use(orders.later, 'none: the order is paid', '1 REFUND, together 0'),
    },
  ]
}

export function faultsOfOrders({ orders, users }: Books): Fault[] {
  const { paid, pending, cancelled, refunded, later } = orders
  const payment = (amount: number, user: number, at: string) => `amount ${amount}, user_id ${user}, created_at ${at}`
  const bens = payment(100, users.ben, LATER)
  const payments = (order: number, expected: string, found: string) =>
    one('payments', { order_id: order }, expected, found)
  const refunds = (order: number, expected: string, found: string) =>
    one('refunds', { order_id: order }, expected, found)
  return [
    {
      name: 'a line of another price',
      plant: `update order_products set price = 101 where order_id = ${pending}`,
      check: 'totals',
      findings: one('orders', { id: pending }, 'total_price 101', 'total_price 100'),
    },
    {
      name: 'an order of another total',
      plant: `update orders set total_price = 99 where id = ${pending}`,
      check: 'totals',
      findings: one('orders', { id: pending }, 'total_price 100', 'total_price 99'),
      follows: THE_EVENT,
    },
    {
      name: 'an order without lines',
      plant: `delete from order_products where order_id = ${cancelled}`,
      check: 'totals',
      findings: one('orders', { id: cancelled }, 'lines', 'none'),
    },
    {
      name: 'a lost payment',
      plant: `delete from payments where order_id = ${later}`,
      check: 'payments',
      findings: payments(later, bens, 'none'),
      follows: THE_TOTAL,
    },
    {
      name: 'a payment of another amount',
      plant: `update payments set amount = 101 where order_id = ${later}`,
      check: 'payments',
      findings: payments(later, bens, payment(101, users.ben, LATER)),
      follows: THE_TOTAL,
    },
    {
      name: 'a payment by another user',
      plant: `update payments set user_id = ${users.ada} where order_id = ${later}`,
      check: 'payments',
      findings: payments(later, bens, payment(100, users.ada, LATER)),
    },
    {
      name: 'a payment at another time',
      plant: `update payments set created_at = '2026-03-01 10:15:00' where order_id = ${later}`,
      check: 'payments',
      findings: payments(later, bens, payment(100, users.ben, PAID_AT)),
    },
    {
      name: 'a payment of an order that was not paid',
      plant: `insert into payments (order_id, user_id, amount, created_at)
        values (${pending}, ${users.ada}, 0, '2026-03-01 10:15:00')`,
      check: 'payments',
      findings: payments(pending, 'none: the order is pending', payment(0, users.ada, PAID_AT)),
    },
    {
      name: 'an order that was paid and is called pending',
      plant: `update orders set status = 'pending', paid_at = null where id = ${later}`,
      check: 'payments',
      findings: payments(later, 'none: the order is pending', bens),
      follows: {
        uses: 'nor may it have a USE row',
        stock: 'what it sold is gone',
        sales: 'what it sold does not count',
        hours: 'what it sold does not count',
        ...THE_EVENT,
      },
    },
    {
      name: 'a lost refund',
      plant: `delete from refunds where order_id = ${refunded}`,
      check: 'refunds',
      findings: refunds(refunded, 'amount 100', 'none'),
      follows: THE_TOTAL,
    },
    {
      name: 'a refund of another amount',
      plant: `update refunds set amount = 99 where order_id = ${refunded}`,
      check: 'refunds',
      findings: refunds(refunded, 'amount 100', 'amount 99'),
      follows: THE_TOTAL,
    },
    {
      name: 'a refund of an order that was not refunded',
      plant: `insert into refunds (order_id, amount) values (${paid}, 0)`,
      check: 'refunds',
      findings: refunds(paid, 'none: the order is paid', 'amount 0'),
    },
  ]
}
