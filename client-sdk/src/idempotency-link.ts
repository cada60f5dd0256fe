import type { TRPCLink } from '@trpc/client'
import type { AppRouter } from './app-router.ts'
import { takesKey } from './repeatable.ts'

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
  return isObject(input) && input.idempotencyKey === undefined ? { ...input, idempotencyKey: randomKey() } : input
}

function isObject(value: unknown): value is { idempotencyKey?: unknown } {
  return typeof value === 'object' && value !== null
}

/** A version 4 UUID. Not `crypto.randomUUID`, which browsers keep from pages that were loaded over plain http. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  const variant = '89ab'[Number.parseInt(digits.charAt(16), 16) % 4]
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `4${digits.slice(13, 16)}`,
    `${variant}${digits.slice(17, 20)}`,
    digits.slice(20),
  ].join('-')
}
