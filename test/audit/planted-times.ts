import type { BusyShop } from './busy-shop.ts'
import type { PlantedCorruption } from './planted-corruption.ts'

const DAY = 'interval 1 day'
const HOUR = 'interval 1 hour'

/** Times that differ between the rows and the event of a change. */
export const times: PlantedCorruption[] = [
  ...(
    [
      ['the time of a charge', 'point_histories', 'created_at', ({ charge }) => `id = ${charge(1)}`],
      [
        'the time of a USE row',
        'point_histories',
        'created_at',
        ({ orders }) => `use_type = 'USE' and order_id = ${orders.bens}`,
      ],
      [
        'the time of a REFUND row',
        'point_histories',
        'created_at',
        ({ orders }) => `use_type = 'REFUND' and order_id = ${orders.refunded}`,
      ],
      ['the time of a payment', 'payments', 'created_at', ({ orders }) => `order_id = ${orders.bens}`],
      ['the time of a refund', 'refunds', 'created_at', ({ orders }) => `order_id = ${orders.refunded}`],
      ['the time of an order', 'orders', 'created_at', ({ orders }) => `id = ${orders.pending}`],
      ['paid_at', 'orders', 'paid_at', ({ orders }) => `id = ${orders.bens}`],
      ['the time of a cancellation', 'orders', 'updated_at', ({ orders }) => `id = ${orders.cancelled}`],
      ['the time of the creation of a product', 'products', 'created_at', ({ products }) => `id = ${products.cup}`],
      ['the time of the removal of a product', 'products', 'deleted_at', ({ products }) => `id = ${products.lamp}`],
      ['the time of a restock', 'stock_changes', 'created_at', ({ firstRestock }) => `id = ${firstRestock}`],
      ['the time of the last change of a wallet', 'points', 'updated_at', ({ users }) => `user_id = ${users.ben}`],
      ['the time of the creation of a wallet', 'points', 'created_at', ({ users }) => `user_id = ${users.cid}`],
      ['the time of the creation of a user', 'users', 'created_at', ({ users }) => `id = ${users.cid}`],
      [
        'the time of an event of an order',
        'events',
        'created_at',
        ({ event, orders }) => `id = ${event('order.paid', orders.bens)}`,
      ],
      [
        'the time of an event of a product',
        'events',
        'created_at',
        ({ event, products }) => `id = ${event('product.created', products.cup)}`,
      ],
    ] satisfies [string, string, string, (shop: BusyShop) => string][]
  ).flatMap(([name, table, column, where]): PlantedCorruption[] =>
    [`- ${HOUR}`, `+ ${DAY}`, '+ interval 1000 microsecond'].map((change) => ({
      name: `${name}, ${change}`,
      plant: (shop) => `update ${table} set ${column} = ${column} ${change} where ${where(shop)}`,
      found: () => ({ times: {} }),
    })),
  ),
  {
    name: 'an order paid before it was placed, in every row and event',
    plant: ({ event, orders, users }) => [
      `update orders set paid_at = created_at - interval 1 minute, updated_at = updated_at where id = ${orders.placedThenPaid}`,
      ...['payments', 'point_histories'].map(
        (table) =>
          `update ${table} join orders on orders.id = order_id set ${table}.created_at = paid_at where order_id = ${orders.placedThenPaid}`,
      ),
      `update events set created_at = (select paid_at from orders where id = ${orders.placedThenPaid}) where id = ${event('order.paid', orders.placedThenPaid)}`,
      `update points set updated_at = updated_at where user_id = ${users.ada}`,
    ],
    found: ({ orders }) => ({ times: { id: orders.placedThenPaid } }),
  },
  {
    name: 'an order refunded before it was paid, in every row and event',
    plant: ({ event, orders }) => [
      `update refunds join orders on orders.id = order_id set refunds.created_at = paid_at - interval 1 minute where order_id = ${orders.refunded}`,
      `update point_histories join refunds using (order_id) set point_histories.created_at = refunds.created_at where use_type = 'REFUND'`,
      `update events set created_at = (select created_at from refunds) where id = ${event('order.refunded', orders.refunded)}`,
    ],
    found: ({ orders }) => ({ times: { order_id: orders.refunded } }),
  },
]
