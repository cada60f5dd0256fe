import { type Corruption, oneFinding } from './corruption.ts'
import type { ShopIds } from './seeded-shop.ts'

const SUM_DIFFERS = { balances: 'the sum of the history differs' }
const TOTAL_DIFFERS = { total: 'the sum of all wallets differs' }
const EVENT_DIFFERS = { events: 'the event has the original values' }

export function walletCorruptions({ wallets, histories, orders, users }: ShopIds): Corruption[] {
  const { ada, ben } = wallets
  return [
    {
      name: 'a balance that is higher than its history',
      statements: `update points set point = 551 where id = ${ada}`,
      check: 'balances',
      findings: oneFinding('points', { id: ada }, 'point 550', 'point 551'),
      alsoBroken: TOTAL_DIFFERS,
    },
    {
      name: 'points that were never charged',
      statements: `update points set point = 451 where id = ${ben}`,
      check: 'total',
      findings: oneFinding('points', {}, '950 (1500 charged - 650 paid + 100 refunded)', '1001'),
      alsoBroken: { balances: 'one wallet contains the points' },
    },
    {
      name: 'a deleted charge',
      statements: `delete from point_histories where id = ${histories.bensCharge}`,
      check: 'balances',
      findings: oneFinding('points', { id: ben }, 'point -100', 'point 400'),
      alsoBroken: {
        chains: 'the next row has no previous row',
        total: 'the charge is missing from the sum of charges',
        ...EVENT_DIFFERS,
      },
    },
    {
      name: 'a history balance that does not follow from the previous row',
      statements: `update point_histories set balance = 399 where id = ${histories.later}`,
      check: 'chains',
      findings: oneFinding(
        'point_histories',
        { id: histories.later },
        'balance 400 (previous balance 500, change -100)',
        'balance 399',
      ),
      alsoBroken: EVENT_DIFFERS,
    },
    {
      name: 'a charge with a different amount',
      statements: `update point_histories set point = 501 where id = ${histories.bensCharge}`,
      check: 'chains',
      findings: oneFinding(
        'point_histories',
        { id: histories.bensCharge },
        'balance 501 (previous balance 0, change 501)',
        'balance 500',
      ),
      alsoBroken: { ...SUM_DIFFERS, ...TOTAL_DIFFERS, ...EVENT_DIFFERS },
    },
    ...corruptUseRows({ wallets, histories, orders, users }),
    {
      name: 'a deleted REFUND row',
      statements: `delete from point_histories where id = ${histories.refunded}`,
      check: 'returns',
      findings: history(orders.refunded, `1 REFUND row of 100 in wallet ${ada}`, 'none'),
      alsoBroken: SUM_DIFFERS,
    },
    {
      name: 'a REFUND row of an order that was not refunded',
      statements: `insert into point_histories (point_id, point, balance, use_type, order_id)
        values (${ben}, 0, 400, 'REFUND', ${orders.later})`,
      check: 'returns',
      findings: history(orders.later, 'none, because the order is paid', '1 REFUND row with a sum of 0'),
    },
  ]
}

function corruptUseRows({
  wallets: { ada, ben },
  histories,
  orders,
  users,
}: Pick<ShopIds, 'wallets' | 'histories' | 'orders' | 'users'>): Corruption[] {
  return [
    {
      name: 'a deleted USE row',
      statements: `delete from point_histories where id = ${histories.later}`,
      check: 'uses',
      findings: history(orders.later, `1 USE row of -100 in wallet ${ben}`, 'none'),
      alsoBroken: SUM_DIFFERS,
    },
    {
      name: 'a second USE row',
      statements: `insert into point_histories (point_id, point, balance, use_type, order_id)
        values (${ben}, 0, 400, 'USE', ${orders.later})`,
      check: 'uses',
      findings: history(orders.later, `1 USE row of -100 in wallet ${ben}`, '2 USE rows with a sum of -100'),
    },
    {
      name: 'a USE row with a different amount',
      statements: [
        `update point_histories set point = -101, balance = 399 where id = ${histories.later}`,
        `update points set point = 399 where id = ${ben}`,
      ],
      check: 'uses',
      findings: history(orders.later, `1 USE row of -100 in wallet ${ben}`, '1 USE row with a sum of -101'),
      alsoBroken: { ...TOTAL_DIFFERS, ...EVENT_DIFFERS },
    },
    {
      name: "an order paid from another user's wallet",
      statements: [
        `update orders set user_id = ${users.ada} where id = ${orders.later}`,
        `update payments set user_id = ${users.ada} where order_id = ${orders.later}`,
      ],
      check: 'uses',
      findings: history(
        orders.later,
        `1 USE row of -100 in wallet ${ada}`,
        '1 USE row with a sum of -100, 1 of them in another wallet',
      ),
      alsoBroken: EVENT_DIFFERS,
    },
    {
      name: 'a USE row of an order that was not paid',
      statements: `insert into point_histories (point_id, point, balance, use_type, order_id)
        values (${ada}, 0, 550, 'USE', ${orders.pending})`,
      check: 'uses',
      findings: history(orders.pending, 'none, because the order is pending', '1 USE row with a sum of 0'),
    },
  ]
}

const history = (order: number, expected: string, found: string) =>
  oneFinding('point_histories', { order_id: order }, expected, found)
