import type { BusyShop } from './busy-shop.ts'
import { deleteEvent, duplicateEvent, ids, type PlantedCorruption, swap } from './planted-corruption.ts'

/** Events that are missing, doubled or in the wrong order. */
export const order: PlantedCorruption[] = [
  ...(
    [
      ['points.charged', ({ charge }) => ({ history_id: charge(2) }), 'charge'],
      ['order.placed', ({ orders }) => ({ order_id: orders.pending }), 'placed'],
      ['order.paid', ({ orders }) => ({ order_id: orders.bens }), 'paid'],
      ['order.refunded', ({ orders }) => ({ order_id: orders.refunded }), 'refunded'],
      ['order.cancelled', ({ orders }) => ({ order_id: orders.cancelled }), 'cancelled'],
      ['product.created', ({ products }) => ({ product_id: products.cup }), 'created'],
      ['product.removed', ({ products }) => ({ product_id: products.lamp }), 'removed'],
      ['product.restocked', ({ firstRestock }) => ({ stock_change_id: firstRestock }), 'restocked'],
    ] satisfies [string, (shop: BusyShop) => Record<string, number>, keyof typeof ids][]
  ).flatMap(([type, subject, kind]): PlantedCorruption[] => [
    {
      name: `a missing ${type}`,
      plant: (shop) => deleteEvent(ids[kind](shop)),
      found: (shop) => ({ told: { type, ...subject(shop) } }),
    },
    {
      name: `a doubled ${type}`,
      plant: (shop) => duplicateEvent(ids[kind](shop)),
      found: (shop) => (type === 'product.restocked' ? { sequence: {} } : { told: { type, ...subject(shop) } }),
    },
  ]),
  {
    name: 'a missing last product.changed',
    plant: ({ event, products }) => deleteEvent(event('product.changed', products.mug)),
    found: ({ products }) => ({ states: { id: products.mug } }),
  },
  {
    name: 'a missing product.changed between two orders',
    plant: ({ event, products }) => deleteEvent(event('product.changed', products.tea)),
    found: ({ products, orders }) => ({ offers: { product_id: products.tea, order_id: orders.placedThenPaid } }),
  },
  {
    name: 'order.paid before order.placed',
    plant: ({ event, orders }) =>
      swap('events', event('order.placed', orders.placedThenPaid), event('order.paid', orders.placedThenPaid)),
    found: ({ orders }) => ({ sequence: { order_id: orders.placedThenPaid } }),
  },
  {
    name: 'order.refunded before order.paid',
    plant: ({ event, orders }) =>
      swap('events', event('order.paid', orders.refunded), event('order.refunded', orders.refunded)),
    found: ({ orders }) => ({ sequence: { order_id: orders.refunded } }),
  },
  {
    name: 'order.cancelled before order.placed',
    plant: ({ event, orders }) =>
      swap('events', event('order.placed', orders.cancelled), event('order.cancelled', orders.cancelled)),
    found: ({ orders }) => ({ sequence: { order_id: orders.cancelled } }),
  },
  {
    name: 'two payments of a wallet in the wrong order',
    plant: ({ event, orders }) =>
      swap('events', event('order.paid', orders.placedThenPaid), event('order.paid', orders.mugs)),
    found: ({ event, orders }) => ({ sequence: { id: event('order.paid', orders.placedThenPaid) } }),
  },
  {
    name: 'a sale before the restock that precedes it',
    plant: ({ event, orders, products }) =>
      swap('events', event('product.restocked', products.tea), event('order.paid', orders.placedThenPaid)),
    found: ({ event, products }) => ({ sequence: { id: event('product.restocked', products.tea) } }),
  },
  {
    name: 'product.created after a sale',
    plant: ({ event, orders, products }) =>
      swap('events', event('product.created', products.cup), event('order.paid', orders.bens)),
    found: ({ products }) => ({ sequence: { product_id: products.cup } }),
  },
  {
    name: 'a restock after the removal',
    plant: ({ event, products }) => [
      `insert into stock_changes (product_id, \`change\`, reason, idempotency_key) values (${products.lamp}, 1, 'RESTOCKED', uuid())`,
      `insert into events (type, \`key\`, payload) select 'product.restocked', \`key\`, json_object('productId', ${products.lamp},
        'change', 1, 'stock', 3) from events where id = ${event('product.removed', products.lamp)}`,
      `update stock set stock = stock + 1 where product_id = ${products.lamp}`,
    ],
    found: ({ products }) => ({ sequence: { product_id: products.lamp } }),
  },
]
