import { type PlantedCorruption, set, swap } from './planted-corruption.ts'

/** Rows that differ from what the events state. */
export const rows: PlantedCorruption[] = [
  {
    name: 'a price that no event states',
    plant: ({ products }) => `update products set price = 55 where id = ${products.cup}`,
    found: ({ products }) => ({ states: { id: products.cup } }),
  },
  {
    name: 'a name that no event states',
    plant: ({ products }) => `update products set name = 'cup' where id = ${products.cup}`,
    found: ({ products }) => ({ states: { id: products.cup } }),
  },
  {
    name: 'two products with exchanged ids',
    plant: ({ products }) => swap('products', products.cup, products.mug),
    found: ({ products }) => ({ states: { id: products.cup } }),
  },
  {
    name: 'a removal without an event',
    plant: ({ products }) => `update products set deleted_at = '2026-03-01' where id = ${products.cup}`,
    found: ({ products }) => ({
      told: { type: 'product.removed', product_id: products.cup },
      states: { id: products.cup },
    }),
  },
  {
    name: 'a removed product that is for sale again',
    plant: ({ products }) => `update products set deleted_at = null where id = ${products.lamp}`,
    found: ({ products, event }) => ({
      states: { id: products.lamp },
      events: { id: event('product.removed', products.lamp) },
    }),
  },
  {
    name: 'a balance and its history, without an event',
    plant: ({ users }) => [
      `insert into point_histories (point_id, point, balance, use_type, idempotency_key)
        select id, 7, point + 7, 'CHARGE', uuid() from points where user_id = ${users.ben}`,
      `update points set point = point + 7, updated_at = updated_at where user_id = ${users.ben}`,
    ],
    found: () => ({ told: { type: 'points.charged' }, states: {} }),
  },
  {
    name: 'stock and a stock change, without an event',
    plant: ({ products }) => [
      `insert into stock_changes (product_id, \`change\`, reason, idempotency_key) values (${products.cup}, 2, 'RESTOCKED', uuid())`,
      `update stock set stock = stock + 2 where product_id = ${products.cup}`,
    ],
    found: ({ products }) => ({ told: { type: 'product.restocked' }, states: { product_id: products.cup } }),
  },
  {
    name: 'a product with stock, without an event',
    plant: ({ products }) => [
      `insert into products (id, store_id, name, price) select 999999, store_id, 'Bowl', 5 from products where id = ${products.cup}`,
      `insert into stock (product_id, stock) values (999999, 0)`,
    ],
    found: () => ({ told: { type: 'product.created', product_id: 999999 } }),
  },
  {
    name: 'stock of another product',
    plant: ({ products }) =>
      `update stock a join stock b on a.product_id = ${products.cup} and b.product_id = ${products.mug}
      set a.stock = b.stock, b.stock = b.stock - 1`,
    found: ({ products }) => ({ states: { product_id: products.cup } }),
  },
  {
    name: 'a line with the price that the product has later',
    plant: ({ products, orders }) => [
      `update order_products set price = 260 where order_id = ${orders.cancelled} and product_id = ${products.mug}`,
      `update orders set total_price = 260, updated_at = updated_at where id = ${orders.cancelled}`,
      `update events set ${set('totalPrice', 260)} where type = 'order.placed' and json_value(payload, '$.orderId') = ${orders.cancelled}`,
    ],
    found: ({ products, orders }) => ({ offers: { order_id: orders.cancelled, product_id: products.mug } }),
  },
  {
    name: 'a line with the price that the product had earlier',
    plant: ({ products, orders }) =>
      `update order_products set price = if(product_id = ${products.tea}, 100, 70) where order_id = ${orders.pending}`,
    found: ({ products, orders }) => ({ offers: { order_id: orders.pending, product_id: products.tea } }),
  },
  {
    name: 'a line with another name',
    plant: ({ orders }) => `update order_products set product_name = 'Tea ' where order_id = ${orders.bens}`,
    found: ({ orders }) => ({ offers: { order_id: orders.bens } }),
  },
  {
    name: 'a line with the name that the product had earlier',
    plant: ({ orders, products }) =>
      `update order_products set product_name = 'Tea' where order_id = ${orders.pending} and product_id = ${products.tea}`,
    found: ({ orders }) => ({ offers: { order_id: orders.pending } }),
  },
  {
    name: 'a line of a pending order with another product of the same price',
    plant: ({ orders, products }) =>
      `update order_products set product_id = ${products.mug} where order_id = ${orders.pending} and product_id = ${products.cup}`,
    found: ({ orders, products }) => ({ offers: { order_id: orders.pending, product_id: products.mug } }),
  },
  {
    name: 'a line that is gone, with its amount',
    plant: ({ orders, products }) => [
      `delete from order_products where order_id = ${orders.pending} and product_id = ${products.cup}`,
      `update orders set total_price = 240, updated_at = updated_at where id = ${orders.pending}`,
    ],
    found: ({ orders, event }) => ({ events: { id: event('order.placed', orders.pending) } }),
  },
  {
    name: 'a line of a paid order that is gone, with its amount in every row',
    plant: ({ orders, products }) => [
      `delete from order_products where order_id = ${orders.bens} and product_id = ${products.cup}`,
      `update orders set total_price = 120, updated_at = updated_at where id = ${orders.bens}`,
      `update payments set amount = 120 where order_id = ${orders.bens}`,
      `update point_histories set point = -120, balance = balance + 100 where order_id = ${orders.bens}`,
    ],
    found: ({ orders, event }) => ({ events: { id: event('order.paid', orders.bens) } }),
  },
  {
    name: 'two charges with exchanged amounts',
    plant: ({ charge }) =>
      `update point_histories set point = case id when ${charge(0)} then 300 else 1000 end where id in (${charge(0)}, ${charge(2)})`,
    found: ({ charge }) => ({ chains: { id: charge(0) } }),
  },
  {
    name: 'a stock change of another product',
    plant: ({ products }) =>
      `update stock_changes set product_id = ${products.cup} where product_id = ${products.tea} and \`change\` = -3`,
    found: () => ({ told: { type: 'product.restocked' } }),
  },
  {
    name: 'two stock changes with exchanged ids',
    plant: ({ products }) =>
      `update stock_changes set \`change\` = 2 - \`change\`, reason = if(\`change\` > 0, 'RESTOCKED', 'CORRECTED')
      where product_id = ${products.tea} and reason <> 'STOCKED' and id > (select id from (select min(id) as id from stock_changes
      where product_id = ${products.tea} and reason = 'RESTOCKED') first)`,
    found: () => ({ told: {} }),
  },
  {
    name: 'a restock that is recorded as first stock',
    plant: ({ products }) =>
      `update stock_changes set reason = 'STOCKED' where product_id = ${products.tea} and \`change\` = 5`,
    found: () => ({ events: {} }),
  },
  {
    name: 'an order of another user',
    plant: ({ orders, users }) =>
      `update orders set user_id = ${users.cid}, updated_at = updated_at where id = ${orders.pending}`,
    found: ({ orders, event }) => ({ events: { id: event('order.placed', orders.pending) } }),
  },
  {
    name: 'a cancelled order that is pending again',
    plant: ({ orders }) => `update orders set status = 'pending' where id = ${orders.cancelled}`,
    found: ({ orders, event }) => ({ events: { id: event('order.cancelled', orders.cancelled) } }),
  },
  {
    name: 'a pending order that is cancelled without an event',
    plant: ({ orders }) => `update orders set status = 'cancelled' where id = ${orders.pending}`,
    found: ({ orders }) => ({ told: { type: 'order.cancelled', order_id: orders.pending } }),
  },
  ...(['orders', 'stock_changes', 'point_histories'] as const).flatMap((table): PlantedCorruption[] =>
    ['00000000-0000-0000-0000-000000000000', 'not-a-key', ''].map((key) => ({
      name: `an idempotency key '${key}' in ${table}`,
      plant: () => `update ${table} set idempotency_key = '${key}' order by id limit 1`,
      found: () => ({ ranges: {} }),
    })),
  ),
  {
    name: 'a charge without an idempotency key',
    plant: ({ charge }) => `update point_histories set idempotency_key = null where id = ${charge(1)}`,
    found: ({ charge }) => ({ ranges: { id: charge(1) } }),
  },
  {
    name: 'a USE row with an idempotency key',
    plant: ({ orders }) => `update point_histories set idempotency_key = uuid() where order_id = ${orders.bens}`,
    found: () => ({ ranges: {} }),
  },
]
