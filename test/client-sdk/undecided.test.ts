import { type OutcomeUnknownError, type Refusal, refusalOf } from '@pointwise/client-sdk'
import { describe, expect, it } from 'vitest'
import { DECISIVE_REFUSALS } from '../../client-sdk/src/decisive-refusals.ts'
import { RETRY_POLICY } from '../../client-sdk/src/retry-link.ts'
import { newKey } from '../setup/shop.ts'
import {
  atServerTime,
  dropConnection,
  failWith,
  type MisbehavingServer,
  neverRespond,
  type Reply,
  refuseWith,
  respondAsProxy,
  startMisbehavingServer,
  succeedWith,
} from './misbehaving-server.ts'
import { charged, clientOf, errorOf, expectPlain, expectUnknown } from './retry-steps.ts'

const HOUR_MS = 3_600_000
const { clockSkewMs, attemptTimeoutMs } = RETRY_POLICY
const exceeded = { code: 'deadline_exceeded', retry: 'same-key', afterMs: 0 } as Refusal
const insufficient = { code: 'points_limit_exceeded', retry: 'never', balance: 5, limit: 10 } as Refusal
const replayed = { ...charged, replayed: true }

const deadlineOf = ({ requests }: MisbehavingServer, index: number) =>
  Number(requests[index]?.headers['request-deadline'])

/** A server on which replies can refer to the deadline of the first attempt. */
async function startServer(...replies: ((decidedAt: () => number) => Reply)[]) {
  const decidedAt = () => deadlineOf(server, 0) + clockSkewMs
  const server: MisbehavingServer = await startMisbehavingServer(...replies.map((reply) => reply(decidedAt)))
  return server
}

/** A refusal that the server decides this long after an earlier attempt can no longer take effect. */
const refuseAfter =
  (ms: number, refusal: Refusal = insufficient) =>
  (decidedAt: () => number): Reply =>
    atServerTime(() => decidedAt() + ms, refuseWith(refusal))

const always = (reply: Reply) => () => reply

describe('After an attempt whose outcome is unknown', () => {
  it.each([
    ['a lost connection', dropConnection],
    ['a gateway that has waited for too long', respondAsProxy(504)],
    ['a server that does not know the outcome', failWith('unknown')],
  ])(
    'a refusal decides the call only once the deadline of that attempt has passed on the server: %s',
    async (_, reply) => {
      await using server = await startServer(always(reply), refuseAfter(-1), refuseAfter(0))
      const error = await errorOf(clientOf(server).points.charge.mutate({ amount: 10 }))
      expectPlain(error)
      expect(refusalOf(error)).toEqual(insufficient)
      expect(server.requests).toHaveLength(3)
    },
  )

  it.each([...DECISIVE_REFUSALS])(
    'a refusal before that is no decision, and the next attempt may succeed: %s',
    async (code) => {
      const early = { code, retry: 'never' } as Refusal
      await using server = await startServer(
        always(dropConnection),
        refuseAfter(-1, early),
        always(succeedWith(replayed)),
      )
      expect(await clientOf(server).points.charge.mutate({ amount: 10 })).toEqual(replayed)
      expect(server.requests).toHaveLength(3)
    },
  )

  it('the deadlines of all earlier attempts count', async () => {
    await using server = await startServer(
      always(dropConnection),
      always(dropConnection),
      // The second attempt has a later deadline than the first.
      () => atServerTime(() => deadlineOf(server, 1) + clockSkewMs - 1, refuseWith(insufficient)),
      () => atServerTime(() => deadlineOf(server, 1) + clockSkewMs, refuseWith(insufficient)),
    )
    expectPlain(await errorOf(clientOf(server).points.charge.mutate({ amount: 10 })))
    expect(server.requests).toHaveLength(4)
  })

  it.each([
    ['is too early', refuseAfter(-HOUR_MS)],
    ['comes from a server that does not report its time', always(refuseWith(insufficient))],
  ])('a refusal that %s until the time of the call is over leaves the outcome unknown', async (_, refuse) => {
    await using server = await startServer(always(dropConnection), refuse)
    const brief = { timeoutMs: 1_300 }
    const error = await errorOf(clientOf(server, brief).points.charge.mutate({ amount: 10 }))
    expectUnknown(error, 'points.charge', server.requests[0]?.input.idempotencyKey)
    expect(refusalOf((error as OutcomeUnknownError).cause)).toEqual(insufficient)
  })

  it.each(['token_invalid', 'token_missing', 'user_not_found', 'not_allowed'])(
    'a refusal of the caller leaves the outcome unknown at any time: %s',
    async (code) => {
      await using server = await startServer(
        always(dropConnection),
        refuseAfter(HOUR_MS, { code, retry: 'never' } as Refusal),
      )
      const error = await errorOf(clientOf(server).points.charge.mutate({ amount: 10 }))
      expectUnknown(error, 'points.charge', server.requests[0]?.input.idempotencyKey)
      expect(server.requests).toHaveLength(2)
    },
  )

  it('a server fault is retried', async () => {
    await using server = await startServer(
      always(dropConnection),
      always(failWith(null)),
      always(succeedWith(replayed)),
    )
    expect(await clientOf(server).points.charge.mutate({ amount: 10 })).toEqual(replayed)
  })

  it('the same call of another client in this process is not decided before the deadline either', async () => {
    await using server = await startServer(
      always(neverRespond),
      refuseAfter(-1),
      refuseAfter(0),
      always(refuseWith(insufficient)),
    )
    const call = { amount: 10, idempotencyKey: newKey() }
    const brief = clientOf(server, { attemptTimeoutMs: 300, timeoutMs: 300 })
    expectUnknown(await errorOf(brief.points.charge.mutate(call)), 'points.charge', call.idempotencyKey)
    expectPlain(
      await errorOf(
        clientOf(server).points.charge.mutate({ ...call, idempotencyKey: call.idempotencyKey.toUpperCase() }),
      ),
    )
    expect(server.requests).toHaveLength(3)
    // The outcome is known, so that the next refusal needs no proof.
    expectPlain(await errorOf(clientOf(server).points.charge.mutate(call)))
    expect(server.requests).toHaveLength(4)
  })

  it('a payment of the same order is not decided before the deadline either, and another order is', async () => {
    await using server = await startServer(
      always(neverRespond),
      always(refuseWith(insufficient)),
      refuseAfter(-1),
      refuseAfter(0),
    )
    const brief = clientOf(server, { attemptTimeoutMs: 300, timeoutMs: 300 })
    expectUnknown(await errorOf(brief.payments.pay.mutate({ orderId: 1 })), 'payments.pay')
    expectPlain(await errorOf(clientOf(server).payments.pay.mutate({ orderId: 2 })))
    expect(server.requests).toHaveLength(2)
    expectPlain(await errorOf(clientOf(server).payments.pay.mutate({ orderId: 1 })))
    expect(server.requests).toHaveLength(4)
  })

  it('a token that cannot be obtained leaves the outcome unknown', async () => {
    await using server = await startServer(always(dropConnection))
    let tokens = 0
    const token = () => (++tokens === 1 ? 'token' : Promise.reject(new Error('The session has expired.')))
    const error = await errorOf(clientOf(server, {}, { token }).points.charge.mutate({ amount: 10 }))
    expectUnknown(error, 'points.charge', server.requests[0]?.input.idempotencyKey)
    expect((error as OutcomeUnknownError).cause).toMatchObject({ message: 'The session has expired.' })
  })
})

describe('The deadline of an attempt', () => {
  it('is its timeout after now, and each attempt has its own', async () => {
    const before = Date.now()
    await using server = await startServer(always(dropConnection), always(succeedWith(charged)))
    await clientOf(server).points.charge.mutate({ amount: 10 })
    const deadlines = [deadlineOf(server, 0), deadlineOf(server, 1)]
    for (const deadline of deadlines) {
      expect(deadline).toBeGreaterThanOrEqual(before)
      expect(deadline).toBeLessThanOrEqual(Date.now() + attemptTimeoutMs)
    }
    expect(deadlines[1]).toBeGreaterThanOrEqual(deadlines[0] ?? 0)
  })

  it.each([HOUR_MS, -HOUR_MS])(
    'follows the clock of the server, which differs by %d ms from the clock of the client',
    async (differenceMs) => {
      const serverNow = () => Date.now() + differenceMs
      await using server = await startServer(
        always(atServerTime(serverNow, refuseWith(exceeded))),
        always(atServerTime(serverNow, succeedWith(charged))),
      )
      expect(await clientOf(server).points.charge.mutate({ amount: 10 })).toEqual(charged)
      expect(Math.abs(deadlineOf(server, 1) - serverNow())).toBeLessThan(HOUR_MS / 2)
    },
  )

  it('that passed before the call had an effect is no unknown outcome, also for a call without a key', async () => {
    const user = { id: 1, name: 'Ada', createdAt: new Date(0) }
    await using server = await startServer(always(refuseWith(exceeded)), always(succeedWith(user)))
    expect(await clientOf(server).users.create.mutate({ name: 'Ada' })).toEqual(user)
  })

  it('is sent with every mutation and with no query', async () => {
    await using server = await startServer(always(succeedWith(charged)))
    const client = clientOf(server)
    await client.users.create.mutate({ name: 'Ada' })
    await client.orders.cancel.mutate({ orderId: 1 })
    await client.stores.list.query().catch(() => undefined)
    expect(server.requests.map(({ headers }) => typeof headers['request-deadline'])).toEqual([
      'string',
      'string',
      'undefined',
    ])
  })
})
