import { TRPCError, type TrackedEnvelope, tracked } from '@trpc/server'
import { z } from 'zod'
import { clientNetwork } from '../auth/client-address.ts'
import { NotResumableError } from '../outbox/replay.ts'
import type { SubscribeOptions } from '../subscriptions/hub.ts'
import type { ChangeEvent, EventStream } from '../subscriptions/subscriber-queue.ts'
import type { Context } from './context.ts'
import { streamError } from './init.ts'

/**
 * The id of the last event that the client had, or the place of the stream that it heard of last. tRPC's client adds the former
 * by itself when it comes back.
 */
export const lastEventId = z
  .string()
  .regex(/^(0|[1-9]\d{0,14})$/, 'is no id of an event')
  .transform(Number)
  .nullish()

/** The output of a subscription that tells changes of this kind, each tracked with the id of its event. */
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

/** Opens the stream of a subscription: of a user, whose token bounds it, or of an address. */
export async function subscribe<Change>(
  { ctx, input, signal }: Call,
  { topics, changeOf }: Pick<SubscribeOptions<Change>, 'topics' | 'changeOf'>,
): Promise<EventStream<TrackedEnvelope<Change>>> {
  const { userId, subscriptions, address, destroyConnection } = ctx
  try {
    const stream = await subscriptions.open({
      caller: userId === undefined ? `address:${clientNetwork(address)}` : `user:${userId}`,
      topics,
      changeOf,
      after: input.lastEventId ?? undefined,
      expiresAt: userId === undefined ? undefined : (await ctx.authenticate()).expiresAt,
      signal,
      destroyConnection,
    })
    return Object.assign(track(stream), { since: stream.since, position: stream.position })
  } catch (error) {
    if (!(error instanceof NotResumableError)) throw error
    const issue = { code: 'custom' as const, path: ['lastEventId'], message: error.message, input: undefined }
    throw new TRPCError({ code: 'BAD_REQUEST', cause: new z.ZodRealError([issue]) })
  }
}

async function* track<Change>(
  stream: AsyncGenerator<ChangeEvent<Change>, void>,
): AsyncGenerator<TrackedEnvelope<Change>, void> {
  try {
    for await (const { id, change } of stream) yield tracked(String(id), change)
  } catch (error) {
    throw streamError(error)
  }
}
