import {
  type AppRouter,
  isTRPCClientError,
  OutcomeUnknownError,
  type Refusal,
  refusalOf,
  safe,
  type TRPCClient,
  TRPCClientError,
} from '@pointwise/client-sdk'
import { createTRPCClient } from '@trpc/client'
import { describe, expect, it, vi } from 'vitest'
import { links } from '../../client-sdk/src/links.ts'
import { RETRY_POLICY, type RetryPolicy } from '../../client-sdk/src/retry-link.ts'
import {
  answer,
  cut,
  cutMidway,
  fail,
  type OddServer,
  openOddServer,
  refuse,
  silence,
  stranger,
} from './misbehaving-server.ts'

const charged = { historyId: 1, amount: 10, balance: 10, replayed: false }
const paid = { payment: { orderId: 1, amount: 10, paidAt: new Date(0) }, balance: 0, replayed: true }
const busy = (afterMs: number): Refusal => ({ code: 'service_busy', retry: 'same-key', afterMs })
const limitExceeded: Refusal = { code: 'points_limit_exceeded', retry: 'never', balance: 5, limit: 10 }

/** The SDK as it is, but for shorter pauses. */
function clientOf({ url }: OddServer, policy: Partial<RetryPolicy> = {}): TRPCClient<AppRouter> {
  return createTRPCClient<AppRouter>({ links: links({ url }, { ...RETRY_POLICY, baseDelayMs: 1, ...policy }) })
}

async function failed(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    (answered) => expect.fail(`It was answered: ${JSON.stringify(answered)}`),
    (error) => error,
  )
}

function keysOf({ seen }: OddServer): Set<unknown> {
  return new Set(seen.map(({ input }) => input.idempotencyKey))
}

/** The error says that the outcome is unknown, of this call and with the key that the server saw. */
function expectUnknown(error: unknown, path: string, idempotencyKey?: unknown): void {
  expect(error).toBeInstanceOf(OutcomeUnknownError)
  expect(error).toBeInstanceOf(TRPCClientError)
  expect(error).toMatchObject({ name: 'OutcomeUnknownError', path })
  expect((error as OutcomeUnknownError).idempotencyKey).toBe(idempotencyKey)
  expect((error as OutcomeUnknownError).cause).toBeInstanceOf(TRPCClientError)
  expect(refusalOf(error)).toBeNull()
}

/** The error is tRPC's own, and claims nothing about an unknown outcome. */
function expectPlain(error: unknown): void {
  expect(isTRPCClientError(error)).toBe(true)
  expect(error).not.toBeInstanceOf(OutcomeUnknownError)
}

describe('a lost connection', () => {
  it.each([
    ['cut', cut],
    ['cut in the middle of the answer', cutMidway],
    ['answered by a proxy with 502', stranger(502)],
    ['answered by a proxy with 503', stranger(503)],
    ['answered by a gateway with 504 and JSON', stranger(504, '{"error":"Gateway Timeout","message":"no"}')],
  ])('repeats a charge that was %s, with the same key', async (_how, lose) => {
    await using server = await openOddServer(lose, lose, answer(charged))
    expect(await clientOf(server).points.charge.mutate({ amount: 10 })).toEqual(charged)
    expect(server.seen).toHaveLength(3)
    expect(keysOf(server).size).toBe(1)
  })

  it('repeats with the key that the caller gave', async () => {
    await using server = await openOddServer(cut, answer(charged))
    const idempotencyKey = '6f1c3c1e-64a1-4b3f-9b52-0d8c5a2f8d11'
    await clientOf(server).points.charge.mutate({ amount: 10, idempotencyKey })
    expect(server.seen.map(({ input }) => input)).toEqual([
      { amount: 10, idempotencyKey },
      { amount: 10, idempotencyKey },
    ])
  })

  it('repeats a query', async () => {
    await using server = await openOddServer(cut, answer([{ id: 1, name: 'Books' }]))
    expect(await clientOf(server).stores.list.query()).toEqual([{ id: 1, name: 'Books' }])
  })

  it('repeats payments.pay and payments.refund, which the server knows by their order', async () => {
    await using server = await openOddServer(cut, answer(paid), cut, answer(paid))
    const client = clientOf(server)
    expect(await client.payments.pay.mutate({ orderId: 1 })).toEqual(paid)
    await client.payments.refund.mutate({ orderId: 1 })
    expect(server.seen).toHaveLength(4)
  })

  it('makes a call that cannot be repeated once, and says that its outcome is unknown', async () => {
    await using server = await openOddServer(cut)
    expectUnknown(await failed(clientOf(server).users.create.mutate({ name: 'Ada' })), 'users.create')
    expectUnknown(await failed(clientOf(server).orders.cancel.mutate({ orderId: 1 })), 'orders.cancel')
    expect(server.seen).toHaveLength(2)
  })

  it('gives a charge up after four tries, and says that its outcome is unknown, and its key', async () => {
    await using server = await openOddServer(cut)
    const error = await failed(clientOf(server).points.charge.mutate({ amount: 10 }))
    expect(server.seen).toHaveLength(4)
    expectUnknown(error, 'points.charge', server.seen[0]?.input.idempotencyKey)
    expect(keysOf(server).size).toBe(1)
  })

  it('gives a query up after four tries with a plain error', async () => {
    await using server = await openOddServer(cut)
    expectPlain(await failed(clientOf(server).stores.list.query()))
    expect(server.seen).toHaveLength(4)
  })

  it('believes an answer of 404 that is not the server’s, and does not repeat', async () => {
    await using server = await openOddServer(stranger(404))
    expectPlain(await failed(clientOf(server).points.charge.mutate({ amount: 10 })))
    expectPlain(await failed(clientOf(server).stores.list.query()))
    expect(server.seen).toHaveLength(2)
  })

  it.each(['', '{}', '{"result":{}}'])('says that the outcome is unknown when the answer is %j', async (body) => {
    await using server = await openOddServer(stranger(200, body))
    expectUnknown(await failed(clientOf(server).users.create.mutate({ name: 'Ada' })), 'users.create')
  })

  it('says so of a server that is not there', async () => {
    const server = await openOddServer(cut)
    await server[Symbol.asyncDispose]()
    const error = await failed(clientOf(server).orders.cancel.mutate({ orderId: 1 }))
    expectUnknown(error, 'orders.cancel')
  })
})

describe('a server that does not answer', () => {
  it('counts as lost after the time for one try', async () => {
    await using server = await openOddServer(silence, answer(charged))
    expect(await clientOf(server, { attemptTimeoutMs: 500 }).points.charge.mutate({ amount: 10 })).toEqual(charged)
    expect(keysOf(server).size).toBe(1)
    expect(server.seen).toHaveLength(2)
  })

  it('is left after the time for all tries', async () => {
    await using server = await openOddServer(silence)
    const startedAt = performance.now()
    const error = await failed(clientOf(server, { totalTimeoutMs: 100 }).points.charge.mutate({ amount: 10 }))
    expectUnknown(error, 'points.charge', server.seen[0]?.input.idempotencyKey)
    expect(performance.now() - startedAt).toBeLessThan(RETRY_POLICY.attemptTimeoutMs / 2)
    expect(server.seen).toHaveLength(1)
  })

  it('is left with a plain error by a query', async () => {
    await using server = await openOddServer(silence)
    using asked = vi.spyOn(globalThis, 'fetch')
    expectPlain(await failed(clientOf(server, { attemptTimeoutMs: 20 }).stores.list.query()))
    expect(asked).toHaveBeenCalledTimes(4)
  })
})

describe('a refusal that passes', () => {
  it('is waited for as long as the server says, by every kind of call', async () => {
    const user = { id: 1, name: 'Ada', createdAt: new Date(0) }
    await using server = await openOddServer(refuse(busy(60)), answer(user), refuse(busy(60)), answer([]))
    const startedAt = performance.now()
    expect(await clientOf(server).users.create.mutate({ name: 'Ada' })).toEqual(user)
    expect(await clientOf(server).stores.list.query()).toEqual([])
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(119)
    expect(server.seen).toHaveLength(4)
  })

  it('keeps the key', async () => {
    await using server = await openOddServer(refuse(busy(1)), answer(charged))
    await clientOf(server).points.charge.mutate({ amount: 10 })
    expect(keysOf(server).size).toBe(1)
  })

  it('is thrown as it is after four tries', async () => {
    await using server = await openOddServer(refuse(busy(1)))
    const error = await failed(clientOf(server).points.charge.mutate({ amount: 10 }))
    expectPlain(error)
    expect(refusalOf(error)).toEqual(busy(1))
    expect(server.seen).toHaveLength(4)
  })

  it('is thrown at once when it asks for more time than there is', async () => {
    await using server = await openOddServer(refuse({ code: 'rate_limited', retry: 'same-key', afterMs: 60_000 }))
    const [, error] = await safe(clientOf(server).points.charge.mutate({ amount: 10 }))
    expect(refusalOf(error)?.code).toBe('rate_limited')
    expect(server.seen).toHaveLength(1)
  })

  it('does not tell what became of an earlier try that was lost', async () => {
    await using server = await openOddServer(cut, refuse(busy(1)))
    const error = await failed(clientOf(server).points.charge.mutate({ amount: 10 }))
    expectUnknown(error, 'points.charge', server.seen[0]?.input.idempotencyKey)
    expect(refusalOf((error as OutcomeUnknownError).cause)).toEqual(busy(1))
    expect(server.seen).toHaveLength(4)
  })
})

describe('a refusal for good', () => {
  it('is thrown at once', async () => {
    await using server = await openOddServer(refuse(limitExceeded))
    const error = await failed(clientOf(server).points.charge.mutate({ amount: 10 }))
    expect(refusalOf(error)).toEqual(limitExceeded)
    expect(server.seen).toHaveLength(1)
  })

  it('decides about an earlier try that was lost', async () => {
    await using server = await openOddServer(cut, refuse(limitExceeded))
    const error = await failed(clientOf(server).points.charge.mutate({ amount: 10 }))
    expectPlain(error)
    expect(refusalOf(error)).toEqual(limitExceeded)
  })

  it('of the token decides nothing about an earlier try that was lost', async () => {
    await using server = await openOddServer(cut, refuse({ code: 'token_invalid', retry: 'never' }))
    const error = await failed(clientOf(server).points.charge.mutate({ amount: 10 }))
    expectUnknown(error, 'points.charge', server.seen[0]?.input.idempotencyKey)
    expect(server.seen).toHaveLength(2)
  })
})

describe('a fault of the server', () => {
  it('is thrown at once', async () => {
    await using server = await openOddServer(fail(null))
    const error = await failed(clientOf(server).points.charge.mutate({ amount: 10 }))
    expectPlain(error)
    expect((error as TRPCClientError<AppRouter>).data).toMatchObject({ httpStatus: 500, requestId: 'r-1' })
    expect(server.seen).toHaveLength(1)
  })

  it('of unknown outcome is like a lost connection', async () => {
    await using server = await openOddServer(fail('unknown'), answer(charged), fail('unknown'))
    expect(await clientOf(server).points.charge.mutate({ amount: 10 })).toEqual(charged)
    const error = await failed(clientOf(server).users.create.mutate({ name: 'Ada' }))
    expectUnknown(error, 'users.create')
    expect((error as OutcomeUnknownError).cause).toMatchObject({ data: { outcome: 'unknown', requestId: 'r-1' } })
    expect(server.seen).toHaveLength(3)
  })
})

describe('an abort by the caller', () => {
  it('before the call sends nothing', async () => {
    await using server = await openOddServer(answer(charged))
    const error = await failed(clientOf(server).points.charge.mutate({ amount: 10 }, { signal: AbortSignal.abort() }))
    expectPlain(error)
    expect(server.seen).toHaveLength(0)
  })

  it('under way stops a mutation at once, whose outcome is then unknown', async () => {
    await using server = await openOddServer(silence)
    const { signal, abort } = abortable()
    const client = clientOf(server, { baseDelayMs: 20_000, maxDelayMs: 20_000 })
    const call = failed(client.points.charge.mutate({ amount: 10 }, { signal }))
    await server.arrived(1)
    const abortedAt = performance.now()
    abort()
    const error = await call
    expect(performance.now() - abortedAt).toBeLessThan(RETRY_POLICY.attemptTimeoutMs / 2)
    expectUnknown(error, 'points.charge', server.seen[0]?.input.idempotencyKey)
    expect((error as OutcomeUnknownError).cause.cause).toBe(signal.reason)
    expect(server.seen).toHaveLength(1)
  })

  it('under way stops a query at once, also one that shares its request', async () => {
    await using server = await openOddServer(silence)
    const client = clientOf(server, { attemptTimeoutMs: 200, attemptsMax: 1 })
    const { signal, abort } = abortable()
    const calls = [failed(client.stores.list.query(undefined, { signal })), failed(client.products.topSelling.query())]
    await server.arrived(1)
    abort()
    const error = await calls[0]
    expectPlain(error)
    expect((error as Error).cause).toBe(signal.reason)
    await calls[1]
  })

  it('between two tries ends the wait, and nothing has happened', async () => {
    await using server = await openOddServer(refuse(busy(20_000)))
    const { signal, abort } = abortable()
    const fetchThenAbort: typeof fetch = async (...request) => {
      const response = await fetch(...request)
      const body = await response.text()
      setTimeout(abort, 20)
      return new Response(body, response)
    }
    const client = createTRPCClient<AppRouter>({ links: links({ url: server.url, fetch: fetchThenAbort }) })
    const startedAt = performance.now()
    expectPlain(await failed(client.points.charge.mutate({ amount: 10 }, { signal })))
    expect(performance.now() - startedAt).toBeLessThan(10_000)
    expect(server.seen).toHaveLength(1)
  })
})

function abortable() {
  const controller = new AbortController()
  return { signal: controller.signal, abort: () => controller.abort(new Error('The page was left.')) }
}
