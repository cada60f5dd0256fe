import { type Corruption, oneFinding } from './corruption.ts'
import type { ShopIds } from './seeded-shop.ts'

export function saleCorruptions({ products: { tea, mug } }: ShopIds): Corruption[] {
  const hour = (time: string, expected: number, found: number) =>
    oneFinding(
      'product_sales',
      { product_id: tea, hour: `2026-03-01T${time}:00.000Z` },
      `count ${expected}`,
      `count ${found}`,
    )
  return [
    {
      name: 'stock that is too low',
      statements: `update stock set stock = 10 where product_id = ${tea}`,
      check: 'stock',
      findings: oneFinding('stock', { product_id: tea }, 'stock 11 (14 stocked - 3 sold)', 'stock 10'),
    },
    {
      name: 'a deleted stock change',
      statements: `delete from stock_changes where product_id = ${mug}`,
      check: 'stock',
      findings: oneFinding('stock', { product_id: mug }, 'stock -1 (0 stocked - 1 sold)', 'stock 4'),
      alsoBroken: { events: 'product.created states the first stock' },
    },
    {
      name: 'a sales volume that is too high',
      statements: `update products set sales_volume = 4 where id = ${tea}`,
      check: 'sales',
      findings: oneFinding('products', { id: tea }, 'sales_volume 3', 'sales_volume 4'),
    },
    {
      name: 'a line with a different quantity',
      statements: `update order_products set \`count\` = 2, price = 125 where product_id = ${mug} and price = 250
        and order_id in (select id from orders where status = 'paid')`,
      check: 'sales',
      findings: oneFinding('products', { id: mug }, 'sales_volume 2', 'sales_volume 1'),
      alsoBroken: {
        stock: 'the quantity sold differs',
        hours: 'the quantity sold differs',
        events: 'the event has the original quantity',
      },
    },
    {
      name: 'an hour with too many sales',
      statements: `update product_sales set \`count\` = 3 where product_id = ${tea} and hour = '2026-03-01 10:00:00'`,
      check: 'hours',
      findings: hour('10:00', 2, 3),
    },
    {
      name: 'a deleted hour',
      statements: `delete from product_sales where product_id = ${tea} and hour = '2026-03-01 11:00:00'`,
      check: 'hours',
      findings: hour('11:00', 1, 0),
    },
    {
      name: 'an hour without orders',
      statements: `insert into product_sales (product_id, hour, \`count\`) values (${tea}, '2026-03-01 12:00:00', 1)`,
      check: 'hours',
      findings: hour('12:00', 0, 1),
    },
    {
      name: 'a sale in a different hour',
      statements: `update product_sales set hour = '2026-03-01 09:00:00'
        where product_id = ${tea} and hour = '2026-03-01 11:00:00'`,
      check: 'hours',
      findings: [...hour('09:00', 0, 1), ...hour('11:00', 1, 0)],
    },
  ]
}
