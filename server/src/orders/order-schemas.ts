import { z } from 'zod'
import { INT_MAX, id, idempotencyKey, orderStatus, price, wholeNumber } from '../rpc/schemas.ts'

const ITEMS_MAX = 50
const QUANTITY_MAX = 1_000

export const order = z
  .object({
    id,
    status: orderStatus,
    items: z.array(
      z.object({
        productId: id,
        productName: z.string(),
        price,
        quantity: wholeNumber.min(1).max(QUANTITY_MAX),
        amount: price,
      }),
    ),
    totalPrice: price,
    createdAt: z.date(),
    paidAt: z.date().nullable(),
  })
  .meta({ id: 'Order' })

/** An order with its items, by ascending product id. */
export type Order = z.output<typeof order>

const item = z.strictObject({ productId: id, quantity: wholeNumber.min(1).max(QUANTITY_MAX), price })

/** What a customer orders, and the prices that the customer saw. It is validated as a whole before any SQL is sent. */
export const placeInput = z.strictObject({
  items: z
    .array(item)
    .min(1)
    .max(ITEMS_MAX)
    .refine(
      (items) => new Set(items.map(({ productId }) => productId)).size === items.length,
      'must name each product once',
    )
    .refine(
      (items) => items.reduce((total, { price, quantity }) => total + price * quantity, 0) <= INT_MAX,
      `must not cost more than ${INT_MAX} points in all`,
    )
    .meta({
      description: 'Each product once, at the price that the customer saw; at most 2,147,483,647 points in all.',
    }),
  idempotencyKey,
})
