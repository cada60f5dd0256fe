import type { AppRouter } from './app-router.ts'
import { DECISIVE_REFUSALS } from './decisive-refusals.ts'

/** Any refusal: its code, whether a retry may succeed (`retry`), and the details of that code. */
export type Refusal = NonNullable<AppRouter['_def']['_config']['$types']['errorShape']['data']['refusal']>

/** The code of any refusal. A released code does not change its meaning. */
export type RefusalCode = Refusal['code']

/**
 * The return type of `refusalOf` for an error of type `E`. For the error of `safe(promise)`, these are exactly the refusals
 * of the called procedure; for an error of unknown type, all refusals. It always includes null.
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
 * Returns the refusal that an error contains. Returns null for every other failure: invalid input, a server fault, a lost
 * connection, or an error that does not come from a call. Accepts the errors of this client and those of the server's
 * in-process caller.
 */
export function refusalOf<E>(error: E): RefusalOf<E> {
  const refusal = property(property(error, 'data'), 'refusal') ?? property(property(error, 'cause'), 'refusal')
  return (isRefusal(refusal) ? refusal : null) as RefusalOf<E>
}

/**
 * Whether a refusal also settles the outcome of earlier attempts of the same call, made with the same idempotency key or for
 * the same order, once their deadlines have passed. If it does, those attempts had no effect, or the effect that the refusal
 * names (the order is paid or cancelled). If it does not, the server rejected the call before it looked for earlier attempts,
 * the call itself may be the reason (`name_taken`), or the code belongs to a later release.
 *
 * A client takes the deadlines of all attempts of its process into account before it throws a refusal. Only a process that
 * continues the work of another one has to wait for them.
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
