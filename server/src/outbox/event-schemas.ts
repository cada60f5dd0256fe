import { z } from 'zod'
import { id, price } from '../rpc/schemas.ts'
import * as examples from './examples.ts'

const count = z.int().min(0)

const userId = id.describe('The id of the user.')
const orderId = id.describe('The id of the order.')
const productId = id.describe('The id of the product.')
const balance = count.describe("The user's balance after the change, in points.")
const stock = count.describe('The stock of the product after the change.')

const orderItem = z.strictObject({
  productId,
  quantity: z.int().min(1).describe('How many pieces of the product the order contains.'),
  stock,
})

const paidOrRefundedOrder = z.strictObject({
  userId,
  orderId,
  amount: price.describe('The total of the order, in points.'),
  balance,
  items: z.array(orderItem).min(1).describe('The products of the order, by ascending product id, each once.'),
})

const productState = z.strictObject({
  productId,
  name: z.string().describe('The name of the product after the change.'),
  price: price.describe('The price of the product after the change, in points.'),
  stock,
})

/**
 * The payload of each event type. This is the only declaration of these shapes and of the texts that describe them. The types,
 * JSON Schemas, documents and the checks of the audit derive from it. Objects are strict, so that the audit finds every
 * unknown field. Consumers must ignore unknown fields; `npm test` fails when a change of a shape breaks them without being
 * announced.
 */
export const eventPayloads = {
  'points.charged': z
    .strictObject({
      userId,
      historyId: id.describe('The id of the row in the history of the points.'),
      amount: z.int().min(1).describe('The points that were added to the balance.'),
      balance,
    })
    .meta({
      title: 'Points charged',
      description: 'A user topped up points.',
      examples: [examples.pointsCharged],
    }),
  'order.placed': z
    .strictObject({ userId, orderId, totalPrice: price.describe('The total of the order, in points.') })
    .meta({
      title: 'Order placed',
      description: 'A user placed an order, which is not paid yet. `orders.checkout` also publishes `order.paid`.',
      examples: [examples.orderPlaced],
    }),
  'order.paid': paidOrRefundedOrder.meta({
    title: 'Order paid',
    description: 'A user paid an order with points. The stock of each product was reduced.',
    examples: [examples.orderPaid],
  }),
  'order.refunded': paidOrRefundedOrder.meta({
    title: 'Order refunded',
    description: 'A paid order was refunded. The points were returned to the user, and the products to the stock.',
    examples: [examples.orderRefunded],
  }),
  'order.cancelled': z.strictObject({ userId, orderId }).meta({
    title: 'Order cancelled',
    description: 'A user cancelled an order that was not paid.',
    examples: [examples.orderCancelled],
  }),
  'product.created': productState.meta({
    title: 'Product created',
    description: 'A product was added to a store.',
    examples: [examples.productCreated],
  }),
  'product.changed': productState.meta({
    title: 'Product changed',
    description: 'The name or the price of a product was set.',
    examples: [examples.productChanged],
  }),
  'product.removed': productState.meta({
    title: 'Product removed',
    description: 'A product was removed from sale. Orders that contain it can still be paid or refunded.',
    examples: [examples.productRemoved],
  }),
  'product.restocked': z
    .strictObject({
      productId,
      change: z.int().describe('How much was added to the stock. It is negative if the stock was reduced.'),
      stock,
    })
    .meta({
      title: 'Product restocked',
      description: 'The stock of a product was corrected or replenished, not changed by an order.',
      examples: [examples.productRestocked],
    }),
}

export type EventType = keyof typeof eventPayloads

export type EventPayloads = { [Type in EventType]: z.output<(typeof eventPayloads)[Type]> }

/** The headers of each event in Kafka: CloudEvents 1.0 in binary mode. All values are text. */
export const eventHeaders = z.object({
  'content-type': z.literal('application/json').describe('The media type of the payload.'),
  ce_specversion: z.literal('1.0').describe('The version of CloudEvents.'),
  ce_id: z
    .string()
    .regex(/^[1-9]\d*$/)
    .describe(
      'The id of the event: a decimal number. The ids of a partition ascend, except that events may be sent again.',
    ),
  ce_type: z.string().describe('The type of the event.'),
  ce_source: z.literal('/pointwise').describe('The system that published the event.'),
  ce_time: z.iso.datetime({ precision: 3 }).describe('When the event occurred, in UTC with milliseconds.'),
  ce_subject: z.string().describe('The user or the product that the event concerns: the key of the Kafka record.'),
  traceparent: z
    .string()
    .regex(/^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/)
    .optional()
    .describe('The W3C trace context of the call that caused the event, if it has one.'),
})

export type EventHeaders = z.output<typeof eventHeaders>
