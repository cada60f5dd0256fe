/** The part of a payload that identifies whom the event concerns: a user and the products they bought, or one product. */
export type EventSubject =
  | { userId: number; items?: readonly { productId: number }[] }
  | { productId: number; userId?: never }

/**
 * Returns the topics that an event concerns. Subscriptions receive events by topic. The first topic is stored as the `key` of
 * the event.
 */
export function topicsOf(subject: EventSubject): [key: string, ...others: string[]] {
  if (subject.userId === undefined) return [productTopic(subject.productId)]
  const { userId, items = [] } = subject
  return [userTopic(userId), ...items.map(({ productId }) => productTopic(productId))]
}

export const userTopic = (userId: number) => `user:${userId}`
export const productTopic = (productId: number) => `product:${productId}`
export const isProductTopic = (topic: string) => topic.startsWith('product:')
