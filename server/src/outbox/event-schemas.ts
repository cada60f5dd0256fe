import { z } from 'zod'
import { id, price } from '../rpc/schemas.ts'

const count = z.int().min(0)

const paidOrRefundedOrder = z.strictObject({
  userId: id,
  orderId: id,
  amount: price,
  /** The user's balance after the change. */
  balance: count,
  /** By ascending product id. `stock` is the stock of the product after the change. */
  items: z.array(z.strictObject({ productId: id, quantity: z.int().min(1), stock: count })).min(1),
})

const productState = z.strictObject({ productId: id, name: z.string(), price, stock: count })

/** The payload of each event type. This is the only declaration of these shapes. */
export const eventPayloads = {
  'points.charged': z.strictObject({ userId: id, historyId: id, amount: z.int().min(1), balance: count }),
  'order.placed': z.strictObject({ userId: id, orderId: id, totalPrice: price }),
  'order.paid': paidOrRefundedOrder,
  'order.refunded': paidOrRefundedOrder,
  'order.cancelled': z.strictObject({ userId: id, orderId: id }),
  'product.created': productState,
  'product.changed': productState,
  'product.removed': productState,
  'product.restocked': z.strictObject({ productId: id, change: z.int(), stock: count }),
}

export type EventType = keyof typeof eventPayloads

export type EventPayloads = { [Type in EventType]: z.output<(typeof eventPayloads)[Type]> }
