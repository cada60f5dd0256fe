import {
  type AppRouter,
  type ClientOptions,
  isTRPCClientError,
  OutcomeUnknownError,
  type Refusal,
  refusalOf,
  type TRPCClient,
  TRPCClientError,
} from '@pointwise/client-sdk'
import { createTRPCClient } from '@trpc/client'
import { expect } from 'vitest'
import { links } from '../../client-sdk/src/links.ts'
import type { RetryPolicy } from '../../client-sdk/src/retry-link.ts'
import type { MisbehavingServer } from './misbehaving-server.ts'

export const charged = { historyId: 1, amount: 10, balance: 10, replayed: false }
export const busy = (afterMs: number): Refusal => ({ code: 'service_busy', retry: 'same-key', afterMs })

/** Short delays between attempts, so that a test makes many attempts within its time. */
const SHORT_DELAYS = { baseDelayMs: 1, maxDelayMs: 20 }

/** A client with short delays between attempts. */
export function clientOf(
  { url }: Pick<MisbehavingServer, 'url'>,
  policy: Partial<RetryPolicy> = {},
  options: Omit<ClientOptions, 'url'> = {},
): TRPCClient<AppRouter> {
  return createTRPCClient<AppRouter>({ links: links({ url, ...options }, { ...SHORT_DELAYS, ...policy }) })
}

export async function errorOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    (result) => expect.fail(`The call succeeded: ${JSON.stringify(result)}`),
    (error) => error,
  )
}

export function keysOf({ requests }: MisbehavingServer): Set<unknown> {
  return new Set(requests.map(({ input }) => input.idempotencyKey))
}

/** Checks that the error reports an unknown outcome, with the path and the key of the call. */
export function expectUnknown(error: unknown, path: string, idempotencyKey?: unknown): void {
  expect(error).toBeInstanceOf(OutcomeUnknownError)
  expect(error).toBeInstanceOf(TRPCClientError)
  expect(error).toMatchObject({ name: 'OutcomeUnknownError', path })
  expect((error as OutcomeUnknownError).idempotencyKey).toBe(idempotencyKey)
  expect((error as OutcomeUnknownError).cause).toBeInstanceOf(TRPCClientError)
  expect(refusalOf(error)).toBeNull()
}

/** Checks that the error is a TRPCClientError that does not report an unknown outcome. */
export function expectPlain(error: unknown): void {
  expect(isTRPCClientError(error)).toBe(true)
  expect(error).not.toBeInstanceOf(OutcomeUnknownError)
}
