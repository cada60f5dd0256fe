import type { TRPCLink } from '@trpc/client'
import type { AppRouter } from './app-router.ts'
import { newIdempotencyKey } from './idempotency-key.ts'
import { takesIdempotencyKey } from './retryable-mutations.ts'

/** Adds a generated idempotency key to each call that accepts one and has none. */
export const idempotencyLink: TRPCLink<AppRouter> =
  () =>
  ({ op, next }) =>
    next(takesIdempotencyKey(op.path) ? { ...op, input: withKey(op.input) } : op)

/** The idempotency key in a call's input, if it contains one. */
export function idempotencyKeyOf(input: unknown): string | undefined {
  const key = isObject(input) ? input.idempotencyKey : undefined
  return typeof key === 'string' ? key : undefined
}

function withKey(input: unknown): unknown {
  return isObject(input) && input.idempotencyKey === undefined
    ? { ...input, idempotencyKey: newIdempotencyKey() }
    : input
}

function isObject(value: unknown): value is { idempotencyKey?: unknown } {
  return typeof value === 'object' && value !== null
}
