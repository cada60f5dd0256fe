import type { BusyShop } from './busy-shop.ts'

/** Changes that no audit of the rows can find, and the sentence of docs/audit.md that names them. */
export interface UnseenCorruptions {
  sentence: string
  plants: ((shop: BusyShop) => string | string[])[]
}

const later = (table: string, column: string, where = 'true') =>
  `update ${table} set ${column} = ${column} + interval 1 day where ${where}`

export const UNSEEN: UnseenCorruptions[] = [
  {
    sentence: 'An idempotency key that is replaced by another UUID.',
    plants: ['orders', 'stock_changes'].map(
      (table) => () =>
        `update ${table} set idempotency_key = uuid()${table === 'orders' ? ', updated_at = updated_at' : ''}`,
    ),
  },
  {
    sentence: 'The name of a user or a store, and the removal of a user.',
    plants: [
      ({ users }) => `update users set name = 'Eve' where id = ${users.ada}`,
      ({ users }) => `update users set deleted_at = '2026-03-02' where id = ${users.ada}`,
      () => `update stores set name = concat('Old ', name)`,
    ],
  },
  {
    sentence: 'The store of a product, if the store exists.',
    plants: [({ products, otherStore }) => `update products set store_id = ${otherStore} where id = ${products.tea}`],
  },
  {
    sentence: 'A user who has never charged or ordered, and is gone with the wallet.',
    plants: [
      ({ users }) => [`delete from points where user_id = ${users.dan}`, `delete from users where id = ${users.dan}`],
    ],
  },
  {
    sentence:
      'The times that no call returns: `updated_at`, except that of a wallet or a cancelled order, and `created_at` of `stores`, `stock` and `order_products`.',
    plants: [
      () => ['users', 'stores', 'products', 'stock'].map((table) => later(table, 'updated_at')),
      () => later('orders', 'updated_at', "status <> 'cancelled'"),
      () => ['stores', 'stock', 'order_products'].map((table) => later(table, 'created_at')),
    ],
  },
  {
    sentence:
      'All times of one call together, in the rows and in the event, if the order of payment and refund stays the same.',
    plants: [
      ({ charge, chargeEvent }) => [
        later('point_histories', 'created_at', `id = ${charge(0)}`),
        later('events', 'created_at', `id = ${chargeEvent(0)}`),
      ],
    ],
  },
  {
    sentence: 'When an event was published, and which request caused it: `published_at` and `traceparent`.',
    plants: [() => 'update events set published_at = created_at', () => `update events set traceparent = 'malformed'`],
  },
  {
    sentence: 'The id of a row that no other row and no event names, if the order of the ids stays the same.',
    plants: [() => 'update stock set id = id + 1000000', () => 'update order_products set id = id + 1000000'],
  },
  {
    sentence: 'The order of two events that have no wallet, product or order in common.',
    plants: [
      ({ chargeEvent }) => [
        `update events set id = -1 where id = ${chargeEvent(0)}`,
        `update events set id = ${chargeEvent(0)} where id = ${chargeEvent(1)}`,
        `update events set id = ${chargeEvent(1)} where id = -1`,
      ],
    ],
  },
  {
    sentence:
      'The last changes of a wallet or a product that are gone with all their rows and events, if the balances, stock and sales are those before them.',
    plants: [
      ({ users, charge, chargeEvent }) => [
        `delete from point_histories where id = ${charge(4)}`,
        `delete from events where id = ${chargeEvent(4)}`,
        `update points set point = point - 50, updated_at = (select max(created_at) from point_histories
          where point_id = points.id) where user_id = ${users.ben}`,
      ],
    ],
  },
  {
    sentence: 'An unpaid order that is gone with its lines and events.',
    plants: [
      ({ orders, event }) => [
        `delete from order_products where order_id = ${orders.pending}`,
        `delete from orders where id = ${orders.pending}`,
        `delete from events where id = ${event('order.placed', orders.pending)}`,
      ],
    ],
  },
  {
    sentence: 'In an unpaid order, quantities and removed lines that leave the total unchanged.',
    plants: [
      ({ orders, products }) =>
        `update order_products set \`count\` = 7 where order_id = ${orders.pending} and product_id = ${products.flyer}`,
      ({ orders, products }) =>
        `delete from order_products where order_id = ${orders.pending} and product_id = ${products.flyer}`,
    ],
  },
  {
    sentence:
      'A `product.changed` that is doubled, or that is missing although the product was changed again, if no order was placed in between.',
    plants: [
      ({ event, products }) =>
        `insert into events (type, \`key\`, payload) select type, \`key\`, payload from events
        where id = ${event('product.changed', products.mug)}`,
    ],
  },
  {
    sentence: 'An order line with a name or a price that ended less than a minute before the order.',
    plants: [],
  },
  {
    sentence:
      'Events that are gone up to an id, if `outbox_cursors` has this id as the horizon. Changes in the minute after the horizon need no event.',
    plants: [
      ({ chargeEvent }) => [
        `delete from events where id <= ${chargeEvent(2)}`,
        `update outbox_cursors set position = ${chargeEvent(2)} where name = 'horizon'`,
      ],
    ],
  },
]
