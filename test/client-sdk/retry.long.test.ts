import {
  type AppRouter,
  type OutcomeUnknownError,
  type Refusal,
  refusalOf,
  safe,
  type TRPCClientError,
} from '@pointwise/client-sdk'
import { describe, expect, it } from 'vitest'
import { RETRY_POLICY } from '../../client-sdk/src/retry-link.ts'
import { expectWithin } from '../setup/deadline.ts'
import {
  dropConnection,
  dropMidResponse,
  failWith,
  neverRespond,
  refuseWith,
  respondAsProxy,
  startMisbehavingServer,
  succeedWith,
} from './misbehaving-server.ts'
import { busy, charged, clientOf, errorOf, expectPlain, expectUnknown, keysOf } from './retry-steps.ts'

/** The time of calls that are to fail: enough for several attempts. */
const BRIEF = { timeoutMs: 1_300 }
const paid = { payment: { orderId: 1, amount: 10, paidAt: new Date(0) }, balance: 0, replayed: true }
const limitExceeded: Refusal = { code: 'points_limit_exceeded', retry: 'never', balance: 5, limit: 10 }

describe('After a lost connection', () => {
  it.each([
    ['loses its connection', dropConnection],
    ['loses its connection in the middle of the response', dropMidResponse],
    ['gets status 502 from a proxy', respondAsProxy(502)],
    ['gets status 503 from a proxy', respondAsProxy(503)],
    ['gets status 504 and JSON from a gateway', respondAsProxy(504, '{"error":"Gateway Timeout","message":"no"}')],
  ])('A charge that %s is retried with the same key', async (_failure, failWithoutResponse) => {
    await using server = await startMisbehavingServer(failWithoutResponse, failWithoutResponse, succeedWith(charged))
    expect(await clientOf(server).points.charge.mutate({ amount: 10 })).toEqual(charged)
    expect(server.requests).toHaveLength(3)
    expect(keysOf(server).size).toBe(1)
  })

  it('a call is retried with the key that the caller passed', async () => {
    await using server = await startMisbehavingServer(dropConnection, succeedWith(charged))
    const idempotencyKey = '6f1c3c1e-64a1-4b3f-9b52-0d8c5a2f8d11'
    await clientOf(server).points.charge.mutate({ amount: 10, idempotencyKey })
    expect(server.requests.map(({ input }) => input)).toEqual([
      { amount: 10, idempotencyKey },
      { amount: 10, idempotencyKey },
    ])
  })

  it('a query is retried', async () => {
    await using server = await startMisbehavingServer(dropConnection, succeedWith([{ id: 1, name: 'Books' }]))
    expect(await clientOf(server).stores.list.query()).toEqual([{ id: 1, name: 'Books' }])
  })

  it('payments.pay and payments.refund are retried, since the server recognizes them by their order', async () => {
    await using server = await startMisbehavingServer(
      dropConnection,
      succeedWith(paid),
      dropConnection,
      succeedWith(paid),
    )
    const client = clientOf(server)
    expect(await client.payments.pay.mutate({ orderId: 1 })).toEqual(paid)
    await client.payments.refund.mutate({ orderId: 1 })
    expect(server.requests).toHaveLength(4)
  })

  it('a mutation that is not retryable is sent once and rejects with OutcomeUnknownError', async () => {
    await using server = await startMisbehavingServer(dropConnection)
    expectUnknown(await errorOf(clientOf(server).users.create.mutate({ name: 'Ada' })), 'users.create')
    expectUnknown(await errorOf(clientOf(server).orders.cancel.mutate({ orderId: 1 })), 'orders.cancel')
    expect(server.requests).toHaveLength(2)
  })

  it('a call is retried as often as its time permits', async () => {
    await using server = await startMisbehavingServer(...Array(30).fill(dropConnection), succeedWith(charged))
    expect(await clientOf(server).points.charge.mutate({ amount: 10 })).toEqual(charged)
    expect(server.requests).toHaveLength(31)
    expect(keysOf(server).size).toBe(1)
  })

  it('a charge rejects with OutcomeUnknownError and its key when its time is over', async () => {
    await using server = await startMisbehavingServer(dropConnection)
    const error = await errorOf(clientOf(server, BRIEF).points.charge.mutate({ amount: 10 }))
    expectUnknown(error, 'points.charge', server.requests[0]?.input.idempotencyKey)
    expect(keysOf(server).size).toBe(1)
  })

  it('a query rejects with TRPCClientError when its time is over', async () => {
    await using server = await startMisbehavingServer(dropConnection)
    expectPlain(await errorOf(clientOf(server, BRIEF).stores.list.query()))
  })

  it('a call that gets status 404 from a proxy is not retried', async () => {
    await using server = await startMisbehavingServer(respondAsProxy(404))
    expectPlain(await errorOf(clientOf(server).points.charge.mutate({ amount: 10 })))
    expectPlain(await errorOf(clientOf(server).stores.list.query()))
    expect(server.requests).toHaveLength(2)
  })

  it.each(['', '{}', '{"result":{}}'])(
    'a mutation whose response is %j rejects with OutcomeUnknownError',
    async (body) => {
      await using server = await startMisbehavingServer(respondAsProxy(200, body))
      expectUnknown(await errorOf(clientOf(server).users.create.mutate({ name: 'Ada' })), 'users.create')
    },
  )
})

describe('When the server does not respond', () => {
  it('an attempt fails after the attempt timeout, and the call is retried with the same key', async () => {
    await using server = await startMisbehavingServer(neverRespond, succeedWith(charged))
    expect(await clientOf(server, { attemptTimeoutMs: 1_500 }).points.charge.mutate({ amount: 10 })).toEqual(charged)
    expect(keysOf(server).size).toBe(1)
    expect(server.requests).toHaveLength(2)
  })

  it('a mutation rejects with OutcomeUnknownError after the total timeout', async () => {
    await using server = await startMisbehavingServer(neverRespond)
    const startedAt = performance.now()
    const error = await errorOf(clientOf(server, { timeoutMs: 1_500 }).points.charge.mutate({ amount: 10 }))
    expectUnknown(error, 'points.charge', server.requests[0]?.input.idempotencyKey)
    expectWithin(performance.now() - startedAt, RETRY_POLICY.attemptTimeoutMs / 2)
    expect(server.requests).toHaveLength(1)
  })

  it('a query rejects with TRPCClientError when its time is over', async () => {
    await using server = await startMisbehavingServer(neverRespond)
    expectPlain(await errorOf(clientOf(server, { ...BRIEF, attemptTimeoutMs: 20 }).stores.list.query()))
  })
})

describe('A temporary refusal', () => {
  it('is retried after the delay that the server names, for every kind of call', async () => {
    const user = { id: 1, name: 'Ada', createdAt: new Date(0) }
    await using server = await startMisbehavingServer(
      refuseWith(busy(60)),
      succeedWith(user),
      refuseWith(busy(60)),
      succeedWith([]),
    )
    const startedAt = performance.now()
    expect(await clientOf(server).users.create.mutate({ name: 'Ada' })).toEqual(user)
    expect(await clientOf(server).stores.list.query()).toEqual([])
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(119)
    expect(server.requests).toHaveLength(4)
  })

  it('is retried with the same key', async () => {
    await using server = await startMisbehavingServer(refuseWith(busy(1)), succeedWith(charged))
    await clientOf(server).points.charge.mutate({ amount: 10 })
    expect(keysOf(server).size).toBe(1)
  })

  it('is thrown when the time of the call is over', async () => {
    await using server = await startMisbehavingServer(refuseWith(busy(1)))
    const error = await errorOf(clientOf(server, BRIEF).points.charge.mutate({ amount: 10 }))
    expectPlain(error)
    expect(refusalOf(error)).toEqual(busy(1))
  })

  it('is not followed by an attempt that has less than a second, which could make the outcome unknown', async () => {
    await using server = await startMisbehavingServer(refuseWith(busy(1)), neverRespond)
    expectPlain(await errorOf(clientOf(server, { timeoutMs: 1_000 }).points.charge.mutate({ amount: 10 })))
    expect(server.requests).toHaveLength(1)
  })

  it('is thrown at once if its delay exceeds the time of the call: rate_limited', async () => {
    await using server = await startMisbehavingServer(
      refuseWith({ code: 'rate_limited', retry: 'same-key', afterMs: 60_000 }),
    )
    const [, error] = await safe(clientOf(server).points.charge.mutate({ amount: 10 }))
    expect(refusalOf(error)?.code).toBe('rate_limited')
    expect(server.requests).toHaveLength(1)
  })

  it('leaves the outcome of an earlier, ambiguous attempt unknown: service_busy', async () => {
    await using server = await startMisbehavingServer(dropConnection, refuseWith(busy(60_000)))
    const error = await errorOf(clientOf(server).points.charge.mutate({ amount: 10 }))
    expectUnknown(error, 'points.charge', server.requests[0]?.input.idempotencyKey)
    expect(refusalOf((error as OutcomeUnknownError).cause)).toEqual(busy(60_000))
    expect(server.requests).toHaveLength(2)
  })
})

describe('A permanent refusal', () => {
  it('is thrown after the first attempt', async () => {
    await using server = await startMisbehavingServer(refuseWith(limitExceeded))
    const error = await errorOf(clientOf(server).points.charge.mutate({ amount: 10 }))
    expect(refusalOf(error)).toEqual(limitExceeded)
    expect(server.requests).toHaveLength(1)
  })
})

describe('A server fault', () => {
  it('is thrown after the first attempt', async () => {
    await using server = await startMisbehavingServer(failWith(null))
    const error = await errorOf(clientOf(server).points.charge.mutate({ amount: 10 }))
    expectPlain(error)
    expect((error as TRPCClientError<AppRouter>).data).toMatchObject({ httpStatus: 500, requestId: 'r-1' })
    expect(server.requests).toHaveLength(1)
  })

  it('with an unknown outcome is handled like a lost connection', async () => {
    await using server = await startMisbehavingServer(failWith('unknown'), succeedWith(charged), failWith('unknown'))
    expect(await clientOf(server).points.charge.mutate({ amount: 10 })).toEqual(charged)
    const error = await errorOf(clientOf(server).users.create.mutate({ name: 'Ada' }))
    expectUnknown(error, 'users.create')
    expect((error as OutcomeUnknownError).cause).toMatchObject({ data: { outcome: 'unknown', requestId: 'r-1' } })
    expect(server.requests).toHaveLength(3)
  })
})
