import type { TRPCLink } from '@trpc/client'
import type { AppRouter } from './app-router.ts'
import { newIdempotencyKey } from './idempotency-key.ts'
import { takesKey } from './retryable-mutations.ts'

/** Gives a key of its own to every call that takes one and came without. */
export const idempotencyLink: TRPCLink<AppRouter> =
  () =>
  ({ op, next }) =>
    next(takesKey(op.path) ? { ...op, input: withKey(op.input) } : op)

/** The key that an input carries. */
export function keyOf(input: unknown): string | undefined {
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
