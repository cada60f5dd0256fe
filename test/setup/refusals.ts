import { refusalOf } from '@pointwise/client-sdk'
import type { RefusalCode, RefusalDetails } from '@pointwise/server'
import { TRPCClientError } from '@trpc/client'
import { expect } from 'vitest'
import { snapshot } from './database.ts'
import type { Shop } from './shop.ts'

type ExpectedRefusal = { [Code in RefusalCode]: { code: Code } & RefusalDetails[Code] }[RefusalCode]

/** Asserts that the SDK call is refused with this status and exactly this refusal, and that it changes no table. */
export async function expectRefused(
  shop: Shop,
  call: () => Promise<unknown>,
  httpStatus: number,
  refusal: ExpectedRefusal,
): Promise<void> {
  const before = await snapshot(shop.db)
  const error = await errorOf(call())
  expect(refusalOf(error)).toEqual({ retry: 'never', ...refusal })
  expect((error as TRPCClientError<never>).data).toMatchObject({ httpStatus })
  expect(await snapshot(shop.db)).toEqual(before)
}

/** The error that a failing call throws. */
export async function errorOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    (answer) => expect.fail(`The call was expected to fail. It returned: ${JSON.stringify(answer)}`),
    (error) => error,
  )
}

/** Asserts that the call is rejected as invalid input, and that it changes no table. */
export async function expectInvalid(shop: Shop, call: () => Promise<unknown>): Promise<void> {
  const before = await snapshot(shop.db)
  const error = await errorOf(call())
  expect(error).toBeInstanceOf(TRPCClientError)
  expect((error as TRPCClientError<never>).data).toMatchObject({ httpStatus: 400, code: 'BAD_REQUEST', refusal: null })
  expect(await snapshot(shop.db)).toEqual(before)
}

/**
 * Repeats a call while it is refused with service_busy, after which nothing has happened. On a slow machine, calls that arrive
 * together may wait longer for their settlement than the server lets them.
 */
export async function untilDecided<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (refusalOf(error)?.code !== 'service_busy') throw error
    }
  }
}

/** Makes concurrent calls. Returns their results and the number of refusals by code; any other failure is thrown. */
export async function runConcurrently<T>(calls: (() => Promise<T>)[]) {
  const answers: T[] = []
  const refusals: Partial<Record<RefusalCode, number>> = {}
  await Promise.all(
    calls.map(async (call) => {
      try {
        answers.push(await call())
      } catch (error) {
        const refusal = refusalOf(error)
        if (!refusal) throw error
        refusals[refusal.code] = (refusals[refusal.code] ?? 0) + 1
      }
    }),
  )
  return { answers, refusals }
}

export function times<T>(count: number, call: (index: number) => Promise<T>): (() => Promise<T>)[] {
  return Array.from({ length: count }, (_, index) => () => call(index))
}
