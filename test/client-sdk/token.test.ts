import { createClient } from '@pointwise/client-sdk'
import { describe, expect, it } from 'vitest'
import { startMisbehavingServer, succeedWith } from './misbehaving-server.ts'
import { charged, errorOf, expectPlain } from './retry-steps.ts'

const NEVER = new Promise<never>(() => undefined)

type Client = ReturnType<typeof createClient>

/** Every kind of call. */
const CALLS: [kind: string, call: (client: Client) => Promise<unknown>][] = [
  ['a query', (client) => client.stores.list.query()],
  ['a mutation', (client) => client.points.charge.mutate({ amount: 1 })],
  ['a mutation without a key', (client) => client.users.create.mutate({ name: 'Ada' })],
  [
    'a subscription',
    async (client) => {
      for await (const change of client.points.onChange.subscribe()) return change
      return undefined
    },
  ],
]

describe.each(CALLS)('%s', (_kind, call) => {
  it.each(['token', 'headers'])('whose function "%s" never settles fails, and is not sent', async (option) => {
    await using server = await startMisbehavingServer(succeedWith(charged))
    const error = await errorOf(call(createClient({ url: server.url, timeoutMs: 100, [option]: () => NEVER })))
    expectPlain(error)
    expect((error as Error).message).toMatch(
      /^The request was not sent: the functions "token" and "headers" .* within \d+ ms\.$/,
    )
    expect(server.requests).toHaveLength(0)
  })

  it('is not sent when the token arrives after the call has failed', async () => {
    await using server = await startMisbehavingServer(succeedWith(charged))
    const token = Promise.withResolvers<string>()
    // Such a fetch also sends a request whose signal is aborted.
    let fetches = 0
    const ignoringSignal: typeof fetch = (input, { signal: _, ...init } = {}) => {
      fetches++
      return fetch(input, init)
    }
    const client = createClient({ url: server.url, timeoutMs: 100, token: () => token.promise, fetch: ignoringSignal })
    expectPlain(await errorOf(call(client)))
    token.resolve('late')
    await new Promise(setImmediate)
    expect(fetches).toBe(0)
  })

  it('whose token function throws fails with its error, and is not sent', async () => {
    await using server = await startMisbehavingServer(succeedWith(charged))
    const expired = new Error('The session has expired.')
    for (const token of [
      () => Promise.reject(expired),
      () => {
        throw expired
      },
    ]) {
      expect(await errorOf(call(createClient({ url: server.url, token })))).toMatchObject({ cause: expired })
    }
    expect(server.requests).toHaveLength(0)
  })

  it.each([
    ['an empty string', ''],
    ['number', 7],
    ['object', { token: 'secret' }],
    ['a string with spaces or control characters', 'secret\nsecret'],
  ])('whose token is %s fails, and is not sent', async (found, token) => {
    await using server = await startMisbehavingServer(succeedWith(charged))
    for (const option of [token, () => token]) {
      const error = await errorOf(call(createClient({ url: server.url, token: option as string })))
      expectPlain(error)
      expect((error as Error).message).toContain(`the option "token" of createClient is or returned ${found}.`)
      expect((error as Error).message).not.toContain('secret')
    }
    expect(server.requests).toHaveLength(0)
  })
})

it('a call that is aborted while it waits for its token is not sent, and its outcome is known', async () => {
  await using server = await startMisbehavingServer(succeedWith(charged))
  const controller = new AbortController()
  const client = createClient({
    url: server.url,
    token: () => {
      controller.abort(new Error('The user left the page.'))
      return NEVER
    },
  })
  expectPlain(await errorOf(client.points.charge.mutate({ amount: 1 }, { signal: controller.signal })))
  expect(server.requests).toHaveLength(0)
})

it('a token function that takes longer than an attempt may take is waited for', async () => {
  await using server = await startMisbehavingServer(succeedWith(charged))
  const token = () => new Promise<string>((resolve) => setTimeout(() => resolve('late'), 60))
  const client = createClient({ url: server.url, token, attemptTimeoutMs: 50 })
  // The response may take longer than the attempt on a slow machine, so the request itself is what counts.
  await client.points.charge.mutate({ amount: 1 })
  expect(server.requests[0]?.headers.authorization).toBe('Bearer late')
})

it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31])(
  'a timeout of %d is rejected with a TypeError',
  (ms) => {
    for (const option of ['timeoutMs', 'attemptTimeoutMs']) {
      expect(() => createClient({ url: 'http://shop', [option]: ms })).toThrow(`the option "${option}" is ${ms}.`)
    }
  },
)
