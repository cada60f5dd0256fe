import { appRouter } from '@pointwise/server'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { proceduresOf } from '../../server/src/http/trpc/fast-path.ts'
import { MUTATIONS, type Stocked, stocked, tokenFor } from '../faults/calls.ts'
import { type FaultyShop, fingerprint, openFaultyShop } from '../faults/faulty-shop.ts'
import { eventually } from '../setup/eventually.ts'
import { get, post } from '../setup/raw-http.ts'

const HOUR_MS = 3_600_000
const EXCEEDED = { code: 'deadline_exceeded', retry: 'same-key', afterMs: 0 }

let faulty: FaultyShop
let given: Stocked
beforeAll(async () => {
  faulty = await openFaultyShop()
  given = await stocked(faulty.shop)
})
afterAll(() => faulty[Symbol.asyncDispose]())
afterEach(() => {
  faulty.proxy.clear()
  vi.useRealTimers()
})

const deadlineAt = (at: number) => ({ 'request-deadline': String(at) })

describe('A mutation', () => {
  it('is in the table of this test, and declares deadline_exceeded; a query does not', () => {
    const procedures = [...proceduresOf(appRouter)]
    const declaring = procedures.flatMap(([path, { _def: def }]) =>
      (def.meta as Record<string, unknown> | undefined)?.['refuses deadline_exceeded'] ? [path] : [],
    )
    expect(declaring.toSorted()).toEqual(MUTATIONS.map(({ path }) => path).toSorted())
    expect(declaring.toSorted()).toEqual(
      procedures.flatMap(([path, { _def: def }]) => (def.type === 'mutation' ? [path] : [])).toSorted(),
    )
  })

  it.each(MUTATIONS)('$path that arrives after its deadline is refused and begins no transaction', async (call) => {
    const input = await call.given(given)
    const before = await fingerprint(faulty.direct)
    faulty.proxy.queries.length = 0
    const headers = deadlineAt(Date.now())
    const { status, refusal } = await post(faulty.shop, call.path, { input, token: tokenFor(call, given), headers })
    expect({ status, refusal }).toEqual({ status: 504, refusal: EXCEEDED })
    expect(faulty.proxy.queries.flat()).not.toContain('begin')
    expect(await fingerprint(faulty.direct)).toBe(before)
  })

  it.each(MUTATIONS)('$path whose deadline passes before COMMIT is rolled back', async (call) => {
    const input = await call.given(given)
    const before = await fingerprint(faulty.direct)
    vi.useFakeTimers({ toFake: ['Date'] })
    const at = Date.now() + HOUR_MS
    const passed = Promise.withResolvers<void>()
    const delayed = faulty.proxy.inject({ until: passed.promise }, /^(insert|update)/)
    faulty.proxy.queries.length = 0
    const answer = post(faulty.shop, call.path, { input, token: tokenFor(call, given), headers: deadlineAt(at) })
    await eventually(delayed).toBe(1)
    vi.setSystemTime(at)
    passed.resolve()
    expect((await answer).refusal).toEqual(EXCEEDED)
    const ends = faulty.proxy.queries.flat().filter((sql) => /^(commit|rollback)$/.test(sql))
    expect(ends).toEqual(['rollback'])
    expect(await fingerprint(faulty.direct)).toBe(before)
  })

  it('within its deadline succeeds, and its response has the time at which the server began it', async () => {
    const sentAt = Date.now()
    const { status, headers } = await post(faulty.shop, 'points.charge', {
      input: { amount: 1 },
      token: given.user.token,
      headers: deadlineAt(sentAt + HOUR_MS),
    })
    expect(status).toBe(200)
    expect(Number(headers.get('server-time'))).toBeGreaterThanOrEqual(sentAt)
    expect(Number(headers.get('server-time'))).toBeLessThanOrEqual(Date.now())
  })

  it('without a deadline is executed, and its response has no server time', async () => {
    const { token } = given.user
    const { status, headers } = await post(faulty.shop, 'points.charge', { input: { amount: 1 }, token })
    expect({ status, time: headers.get('server-time') }).toEqual({ status: 200, time: null })
  })

  it.each(['', 'soon', '-1', '1e12', '1.5', '1000, 2000', '1'.repeat(16), '0x10'])(
    'is not executed when its deadline is malformed: %j',
    async (header) => {
      const before = await fingerprint(faulty.direct)
      const { status, text } = await post(faulty.shop, 'points.charge', {
        input: { amount: 1 },
        token: given.user.token,
        headers: { 'request-deadline': header },
      })
      expect(status).toBe(400)
      expect(JSON.parse(text).error.json.message).toContain('The header Request-Deadline is malformed.')
      expect(await fingerprint(faulty.direct)).toBe(before)
    },
  )
})

describe('A query', () => {
  it.each(['0', 'soon'])('ignores its deadline: %s', async (header) => {
    const { status, headers } = await get(faulty.shop, 'products.list', { headers: { 'request-deadline': header } })
    expect(status).toBe(200)
    expect(headers.get('server-time')).toMatch(/^\d{13}$/)
  })
})
