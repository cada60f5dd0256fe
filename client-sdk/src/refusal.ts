import type { AppRouter } from './app-router.ts'
import { DECISIVE_REFUSALS } from './decisive-refusals.ts'

/** Every refusal there is: a code, what helps against it (`retry`), and the details that belong to the code. */
export type Refusal = NonNullable<AppRouter['_def']['_config']['$types']['errorShape']['data']['refusal']>

/** The codes of all refusals. A code, once released, keeps its meaning. */
export type RefusalCode = Refusal['code']

/**
 * What `refusalOf` gives for an error of type `E`: for the error of `safe(promise)` exactly the refusals of the procedure
 * that was called, for an error of unknown origin any refusal; null is always possible.
 */
export type RefusalOf<E> = unknown extends E
  ? Refusal | null
  : E extends null | undefined
    ? null
    : E extends { readonly data: infer Data }
      ? NonNullable<Data> extends { refusal: infer R }
        ? R | null
        : Refusal | null
      : Refusal | null

/**
 * The refusal that an error stands for, or null when it is none: invalid input, a fault of the server, a lost connection,
 * or an error of somebody else. It reads errors of the client and those that a server-side caller throws in-process.
 */
export function refusalOf<E>(error: E): RefusalOf<E> {
  const refusal = property(property(error, 'data'), 'refusal') ?? property(property(error, 'cause'), 'refusal')
  return (isRefusal(refusal) ? refusal : null) as RefusalOf<E>
}

/**
 * Whether a refusal also settles what became of earlier tries of its call, made with the same idempotency key or of the same
 * order: where it does, they had no effect, or one that the refusal itself names (an order that is paid or cancelled by
 * now). Where it does not, nobody has looked: the caller was turned away at the door, or the code is of a later release.
 */
export function isDecisive({ code }: Refusal): boolean {
  return DECISIVE_REFUSALS.has(code)
}

function isRefusal(value: unknown): value is Refusal {
  const retry = property(value, 'retry')
  return typeof property(value, 'code') === 'string' && (retry === 'never' || retry === 'same-key')
}

function property(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as { [key: string]: unknown })[key] : undefined
}
