import { deleteEvent, type PlantedCorruption } from './planted-corruption.ts'

/** Rows that are gone, with or without their events. */
export const losses: PlantedCorruption[] = [
  {
    name: 'an order that is gone with every row of it, except its events',
    plant: ({ orders, users, products }) => [
      ...['order_products', 'payments', 'point_histories'].map(
        (table) => `delete from ${table} where order_id = ${orders.mugs}`,
      ),
      `delete from orders where id = ${orders.mugs}`,
      `update points set point = point + 500 where user_id = ${users.ada}`,
      `update stock set stock = stock + 2 where product_id = ${products.mug}`,
      `update products set sales_volume = sales_volume - 2 where id = ${products.mug}`,
      `delete from product_sales where product_id = ${products.mug} and \`count\` = 2`,
    ],
    found: ({ orders, event }) => ({ events: { id: event('order.placed', orders.mugs) }, states: {} }),
  },
  {
    name: 'an order that is gone with its rows and events, before another change of the wallet',
    plant: ({ orders, users, products, event }) => [
      ...['order_products', 'payments', 'point_histories'].map(
        (table) => `delete from ${table} where order_id = ${orders.bens}`,
      ),
      `delete from orders where id = ${orders.bens}`,
      deleteEvent(event('order.placed', orders.bens)),
      deleteEvent(event('order.paid', orders.bens)),
      `update points set point = point + 220 where user_id = ${users.ben}`,
      `update stock set stock = stock + if(product_id = ${products.tea}, 1, 2) where product_id in (${products.tea}, ${products.cup})`,
      `update products set sales_volume = sales_volume - if(id = ${products.tea}, 1, 2) where id in (${products.tea}, ${products.cup})`,
    ],
    found: () => ({ sequence: {} }),
  },
  {
    name: 'an unpaid order that is gone, without its event',
    plant: ({ orders }) => [
      `delete from order_products where order_id = ${orders.pending}`,
      `delete from orders where id = ${orders.pending}`,
    ],
    found: ({ orders, event }) => ({ events: { id: event('order.placed', orders.pending) } }),
  },
  ...(['payments', 'point_histories', 'order_products'] as const).map(
    (table): PlantedCorruption => ({
      name: `${table} of a free order that is gone`,
      plant: ({ orders }) => `delete from ${table} where order_id = ${orders.free}`,
      found: () =>
        ({ payments: { payments: {} }, point_histories: { uses: {} }, order_products: { totals: {} } })[table],
    }),
  ),
  {
    name: 'the refund of an order that is gone, with its REFUND row',
    plant: ({ orders }) => [
      `delete from refunds where order_id = ${orders.refunded}`,
      `delete from point_histories where order_id = ${orders.refunded} and use_type = 'REFUND'`,
    ],
    found: ({ orders }) => ({ refunds: { order_id: orders.refunded }, returns: { order_id: orders.refunded } }),
  },
  {
    name: 'a charge that is gone, with its amount in the balance',
    plant: ({ charge, users }) => [
      `delete from point_histories where id = ${charge(4)}`,
      `update points set point = point - 50 where user_id = ${users.ben}`,
    ],
    found: () => ({ events: {}, states: {} }),
  },
]
