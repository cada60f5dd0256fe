import type { OutcomeUnknownError } from '@pointwise/client-sdk'
import { describe, expect, it, vi } from 'vitest'
import { RETRY_POLICY } from '../../client-sdk/src/retry-link.ts'
import { expectWithin } from '../setup/deadline.ts'
import { neverRespond, refuseWith, startMisbehavingServer, succeedWith } from './misbehaving-server.ts'
import { busy, charged, clientOf, errorOf, expectPlain, expectUnknown } from './retry-steps.ts'

describe('A call that the caller aborts', () => {
  it('before it begins is never sent', async () => {
    await using server = await startMisbehavingServer(succeedWith(charged))
    const error = await errorOf(clientOf(server).points.charge.mutate({ amount: 10 }, { signal: AbortSignal.abort() }))
    expectPlain(error)
    expect(server.requests).toHaveLength(0)
  })

  it('while a mutation is in progress rejects at once with OutcomeUnknownError', async () => {
    await using server = await startMisbehavingServer(neverRespond)
    const { signal, abort } = abortable()
    const client = clientOf(server, { baseDelayMs: 20_000, maxDelayMs: 20_000 })
    const call = errorOf(client.points.charge.mutate({ amount: 10 }, { signal }))
    await server.received(1)
    const abortedAt = performance.now()
    abort()
    const error = await call
    expectWithin(performance.now() - abortedAt, RETRY_POLICY.attemptTimeoutMs / 2)
    expectUnknown(error, 'points.charge', server.requests[0]?.input.idempotencyKey)
    expect((error as OutcomeUnknownError).cause.cause).toBe(signal.reason)
    expect(server.requests).toHaveLength(1)
  })

  it('while a query is in progress rejects at once, also if the query shares its request', async () => {
    await using server = await startMisbehavingServer(neverRespond)
    const client = clientOf(server)
    const [first, second] = [abortable(), abortable()]
    const calls = [
      errorOf(client.stores.list.query(undefined, { signal: first.signal })),
      errorOf(client.products.topSelling.query(undefined, { signal: second.signal })),
    ]
    await server.received(1)
    first.abort()
    const error = await calls[0]
    expectPlain(error)
    expect((error as Error).cause).toBe(first.signal.reason)
    second.abort()
    await calls[1]
    expect(server.requests).toHaveLength(1)
  })

  it('between two attempts rejects at once with TRPCClientError', async () => {
    const delayMs = 25_000
    await using server = await startMisbehavingServer(refuseWith(busy(delayMs)))
    using timers = vi.spyOn(globalThis, 'setTimeout')
    const { signal, abort } = abortable()
    const call = errorOf(clientOf(server).points.charge.mutate({ amount: 10 }, { signal }))
    const isWaiting = () => timers.mock.calls.some(([, ms = 0]) => ms >= delayMs && ms < delayMs + 1_000)
    await expect.poll(isWaiting, { timeout: 20_000, interval: 5 }).toBe(true)
    const abortedAt = performance.now()
    abort()
    expectPlain(await call)
    expectWithin(performance.now() - abortedAt, delayMs / 2)
    expect(server.requests).toHaveLength(1)
  })
})

function abortable() {
  const controller = new AbortController()
  return { signal: controller.signal, abort: () => controller.abort(new Error('The user left the page.')) }
}
