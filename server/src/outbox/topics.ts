import type { Event } from './events.ts'
import type { EventRow, TopicFilter } from './queries.ts'

/** An event with its place among all: they are told in the order of their ids. */
export type StoredEvent = Event & { id: number }

export function toEvent({ id, type, payload, at }: EventRow): StoredEvent {
  return { id, type, payload: typeof payload === 'string' ? JSON.parse(payload) : payload, at } as StoredEvent
}

/** Whom an event concerns: `user:<id>`, and `product:<id>` of each product whose stock or price it tells. */
export function topicsOf(event: Event): string[] {
  switch (event.type) {
    case 'points.charged':
    case 'order.placed':
    case 'order.cancelled':
      return [userTopic(event.payload.userId)]
    case 'order.paid':
    case 'order.refunded':
      return [userTopic(event.payload.userId), ...event.payload.items.map(({ productId }) => productTopic(productId))]
    case 'product.created':
    case 'product.changed':
    case 'product.removed':
    case 'product.restocked':
      return [productTopic(event.payload.productId)]
    default:
      // Of a release to come, beside which this one runs for a while.
      event satisfies never
      return []
  }
}

export const userTopic = (userId: number) => `user:${userId}`
export const productTopic = (productId: number) => `product:${productId}`

/** Finds the events of topics in the outbox: their keys are topics, and what is sold has the key of the buyer. */
export function topicFilter(topics: readonly string[]): TopicFilter {
  const tellsOfProducts = topics.some((topic) => topic.startsWith('product:'))
  return { keys: [...topics], types: tellsOfProducts ? ['order.paid', 'order.refunded'] : [] }
}
