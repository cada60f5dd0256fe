import { type TrackedEnvelope, tracked } from '@trpc/server'
import { z } from 'zod'
import type { Event } from '../outbox/events.ts'
import type { EventStream } from '../subscriptions/hub.ts'
import type { Context } from './context.ts'
import { toStreamError } from './errors.ts'

/**
 * The id of the last event that the client received, or the last position that the stream reported. tRPC's client adds the
 * former when it reconnects.
 */
export const lastEventId = z
  .string()
  .regex(/^(0|[1-9]\d{0,14})$/, 'lastEventId must be the id of an event: a whole number of at most 15 digits.')
  .transform(Number)
  .nullish()

/** The output of a subscription to changes of this schema. Each change is tracked with the id of its event. */
export const changeStream = <Change extends z.ZodType>(change: Change) =>
  z.custom<AsyncIterable<TrackedEnvelope<z.output<Change>>, void>>(isAsyncIterable).meta({ changes: change })

function isAsyncIterable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}

interface Call {
  ctx: Context & { userId?: number }
  input: { lastEventId?: number | null | undefined }
  signal: AbortSignal | undefined
}

interface Changes<Change> {
  topics: readonly string[]
  /** Returns the change that an event of the topics describes; undefined to omit the event. */
  changeOf: (event: Event) => Change | undefined
}

/**
 * Opens the stream of a subscription. The stream of a user ends when the token expires; a stream without a token counts against
 * the limit of its network.
 *
 * @throws Refusal rate_limited, service_busy, not_resumable
 */
export async function subscribe<Change>(
  { ctx, input, signal }: Call,
  { topics, changeOf }: Changes<Change>,
): Promise<EventStream<TrackedEnvelope<Change>>> {
  const { userId, subscriptions, network, destroyConnection } = ctx
  const stream = await subscriptions.subscribe({
    caller: userId === undefined ? `network:${network}` : `user:${userId}`,
    topics,
    toItem: (event) => {
      const change = changeOf(event)
      return change === undefined ? undefined : tracked(String(event.id), change)
    },
    after: input.lastEventId ?? undefined,
    expiresAt: userId === undefined ? undefined : (await ctx.authenticate()).expiresAt,
    signal,
    destroyConnection,
  })
  return Object.assign(translateErrors(stream), { since: stream.since, position: stream.position })
}

async function* translateErrors<Item>(stream: AsyncGenerator<Item, void>): AsyncGenerator<Item, void> {
  try {
    yield* stream
  } catch (error) {
    throw toStreamError(error)
  }
}
