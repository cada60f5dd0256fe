import { expect } from 'vitest'
import { eventPayloads } from '../../server/src/outbox/event-schemas.ts'
import { type Corruption, MISSING_ID, oneFinding } from './corruption.ts'
import type { ShopIds } from './seeded-shop.ts'

export function eventCorruptions(ids: ShopIds): Corruption[] {
  return [...countCorruptions(ids), ...payloadCorruptions(ids), ...subjectCorruptions(ids)]
}

/** Events that are missing or duplicated. */
function countCorruptions({ events, histories, orders }: ShopIds): Corruption[] {
  const required = [
    { type: 'points.charged', event: events.charged, ids: { history_id: histories.bensCharge } },
    { type: 'order.placed', event: events.placed, ids: { order_id: orders.pending } },
    { type: 'order.paid', event: events.paid, ids: { order_id: orders.paid } },
    { type: 'order.refunded', event: events.refunded, ids: { order_id: orders.refunded } },
    { type: 'order.cancelled', event: events.cancelled, ids: { order_id: orders.cancelled } },
  ]
  return required.flatMap(({ type, event, ids }): Corruption[] => [
    {
      name: `a missing ${type} event`,
      statements: `delete from events where id = ${event}`,
      check: 'told',
      findings: oneFinding('events', { type, ...ids }, '1 event', 'none'),
    },
    {
      name: `a duplicate ${type} event`,
      statements: `insert into events (type, \`key\`, payload) select type, \`key\`, payload from events where id = ${event}`,
      check: 'told',
      findings: oneFinding(
        'events',
        expect.objectContaining({ type, ...ids }),
        '1 event',
        'another event with a smaller id',
      ),
    },
  ])
}

/** Events that describe the correct row with wrong values. */
function payloadCorruptions({ events, products: { tea, mug }, users: { ada, ben } }: ShopIds): Corruption[] {
  const paid = order(ada, 450, 'paid, balance 550', `2 × product ${tea}, 1 × product ${mug}`)
  const refunded = order(ada, 100, 'refunded, balance 550', `1 × product ${tea}`)
  const pending = order(ada, 100, 'pending', `1 × product ${tea}`)
  const charge = `a CHARGE row of 500 for user ${ben}, balance 500`
  const removeItem = "payload = json_remove(payload, '$.items[1]')"
  return [
    changed('a charge event with a different amount', events.charged, set('amount', 501), charge, 'points.charged'),
    changed('a charge event with a different balance', events.charged, set('balance', 501), charge, 'points.charged'),
    changed(
      'a charge event for a different user',
      events.charged,
      `\`key\` = 'user:${ada}'`,
      `the key user:${ben}`,
      'points.charged',
    ),
    changed('an order event with a different total', events.placed, set('totalPrice', 99), pending, 'order.placed'),
    changed('a payment event with a different amount', events.paid, set('amount', 449), paid, 'order.paid'),
    changed('a payment event with a different balance', events.paid, set('balance', 0), paid, 'order.paid'),
    changed(
      'a payment event with a different product',
      events.paid,
      set('items[0].productId', mug),
      paid,
      'order.paid',
    ),
    changed('a payment event with a higher quantity', events.paid, set('items[0].quantity', 3), paid, 'order.paid'),
    changed('a payment event with fewer products', events.paid, removeItem, paid, 'order.paid'),
    changed(
      'a payment event for a different user',
      events.paid,
      set('userId', ben),
      `the key user:${ben}`,
      'order.paid',
    ),
    changed('a refund event with a different balance', events.refunded, set('balance', 0), refunded, 'order.refunded'),
    {
      ...changed(
        'a restock event with a quantity that was never restocked',
        events.restocked,
        set('change', 6),
        '',
        '',
      ),
      findings: oneFinding('events', expect.objectContaining({ id: events.restocked }), 'change 5', 'change 6'),
    },
  ]
}

/** Events that describe a different row, or no row. */
function subjectCorruptions({ events, orders, products, users: { ada } }: ShopIds): Corruption[] {
  const noCharge = 'a null row of null for user null, balance null'
  const pending = order(ada, 100, 'pending', `1 × product ${products.tea}`)
  return [
    {
      ...changed(
        'an event of a row that does not exist',
        events.charged,
        set('historyId', MISSING_ID),
        noCharge,
        'points.charged',
      ),
      alsoBroken: { told: 'the charge has no event' },
    },
    {
      ...changed('an event of an unknown type', events.cancelled, `type = 'order.lost'`, TYPES, 'order.lost'),
      alsoBroken: { told: 'the cancelled order has no event' },
    },
    {
      ...changed(
        'a cancellation event of a different order',
        events.cancelled,
        set('orderId', orders.pending),
        pending,
        'order.cancelled',
      ),
      alsoBroken: { told: 'the cancelled order has no event' },
    },
  ]
}

const TYPES = `one of the types ${Object.keys(eventPayloads).join(', ')}`

const set = (field: string, value: number) => `payload = json_set(payload, '$.${field}', ${value})`

const order = (user: number, total: number, status: string, lines: string) =>
  `an order of user ${user}, total ${total}, status ${status}: ${lines}`

/** `found` is the start of the finding's text: MySQL and MariaDB format the payload differently. */
const changed = (name: string, id: number, change: string, expected: string, found: string): Corruption => ({
  name,
  statements: `update events set ${change} where id = ${id}`,
  check: 'events',
  findings: oneFinding('events', { id }, expected, found),
})
