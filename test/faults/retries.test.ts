import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { inOneBatch } from '../settlement/batches.ts'
import { eventually } from '../setup/eventually.ts'
import { post } from '../setup/raw-http.ts'
import { item } from '../setup/shop.ts'
import { type Call, MUTATIONS, type Stocked, stocked, tokenFor } from './calls.ts'
import { type FaultyShop, fingerprint, openFaultyShop } from './faulty-shop.ts'

const INSERT_EVENT = /^insert into `events`/

let faulty: FaultyShop
let given: Stocked
beforeAll(async () => {
  faulty = await openFaultyShop()
  given = await stocked(faulty.shop)
})
afterAll(() => faulty[Symbol.asyncDispose]())
beforeEach(() => faulty.proxy.clear())

/** The log line of a request that was answered. */
async function lineOf(requestId: string | null) {
  const line = () =>
    faulty.shop.log.map((line) => JSON.parse(line)).find((line) => line.requestId === requestId && line.res)
  await eventually(line).toBeDefined()
  return line()
}

async function call(path: string) {
  const call = MUTATIONS.find((each) => each.path === path) as Call
  const input = await call.given(given)
  return () => post(faulty.shop, path, { input, token: tokenFor(call, given) })
}

type Answer = Pick<Awaited<ReturnType<typeof post>>, 'status' | 'text' | 'headers'>

/** A response without its numbers, which differ at each call. */
const withoutNumbers = ({ status, text, headers }: Answer) => ({
  status,
  headers: [...headers.keys()].toSorted(),
  text: text.replace(/\d+/g, '#'),
})

const counters = () => structuredClone(faulty.shop.app.counters)

describe.each(['points.charge', 'orders.place', 'orders.cancel', 'payments.refund', 'products.restock'])(
  '%s',
  (path) => {
    test('succeeds at the third retry, after two deadlocks and one lock wait, which only the log reports', async () => {
      const undisturbed = await (await call(path))()
      const send = await call(path)
      const before = counters()
      for (const errno of [1213, 1213, 1205]) faulty.proxy.inject({ errno }, INSERT_EVENT)
      const answer = await send()

      expect(answer.status).toBe(200)
      expect(withoutNumbers(answer)).toEqual(withoutNumbers(undisturbed))
      expect(await lineOf(answer.headers.get('x-request-id'))).toMatchObject({
        attempts: 4,
        reasons: [1213, 1213, 1205],
        level: 30,
      })
      const { retries, exhausted } = counters()
      expect((retries[1213] ?? 0) - (before.retries[1213] ?? 0)).toBe(2)
      expect((retries[1205] ?? 0) - (before.retries[1205] ?? 0)).toBe(1)
      expect(exhausted).toBe(before.exhausted)
    })

    test('is refused as service_busy after the fourth failure, with nothing written', async () => {
      const send = await call(path)
      const [before, checksum] = [counters(), await fingerprint(faulty.direct)]
      for (const errno of [1213, 1213, 1205, 1213]) faulty.proxy.inject({ errno }, INSERT_EVENT)
      const { status, refusal, headers } = await send()

      expect({ status, refusal }).toEqual({
        status: 503,
        refusal: { code: 'service_busy', retry: 'same-key', afterMs: 1_000 },
      })
      expect(await fingerprint(faulty.direct)).toBe(checksum)
      expect(await lineOf(headers.get('x-request-id'))).toMatchObject({
        attempts: 4,
        reasons: [1213, 1213, 1205, 1213],
      })
      expect(counters().exhausted - before.exhausted).toBe(1)
      expect((await send()).status).toBe(200)
    })
  },
)

describe.each(['orders.checkout', 'payments.pay'])('%s, which is settled in a batch,', (path) => {
  test('succeeds at the third retry, after three deadlocks, which only the log reports', async () => {
    const undisturbed = await (await call(path))()
    const send = await call(path)
    for (const errno of [1213, 1213, 1020]) faulty.proxy.inject({ errno }, INSERT_EVENT)
    const answer = await send()
    expect(answer.status).toBe(200)
    expect(withoutNumbers(answer)).toEqual(withoutNumbers(undisturbed))
    expect(await lineOf(answer.headers.get('x-request-id'))).toMatchObject({ attempts: 4, reasons: [1213, 1213, 1020] })
  })

  test('is refused as service_busy after the fourth deadlock, with nothing written', async () => {
    const send = await call(path)
    const checksum = await fingerprint(faulty.direct)
    faulty.proxy.inject({ errno: 1213 }, INSERT_EVENT, 4)
    const { status, headers } = await send()
    expect(status).toBe(503)
    expect(await fingerprint(faulty.direct)).toBe(checksum)
    expect(await lineOf(headers.get('x-request-id'))).toMatchObject({ attempts: 4, reasons: [1213, 1213, 1213, 1213] })
    expect((await send()).status).toBe(200)
  })

  test('waits for a lock once and then succeeds without waiting', async () => {
    const send = await call(path)
    faulty.proxy.inject({ errno: 1205 }, INSERT_EVENT)
    const { status, headers } = await send()
    expect(status).toBe(200)
    expect(await lineOf(headers.get('x-request-id'))).toMatchObject({ attempts: 2, reasons: [1205] })
  })
})

test('A busy database fails a batch as a whole, after its own four attempts', async () => {
  const { shop, user, product } = given
  const checkout = () => shop.asUser(user.id).orders.checkout({ items: [item(product)] })
  faulty.proxy.queries.length = 0
  const answers = await inOneBatch(
    faulty,
    checkout,
    Array.from({ length: 5 }, () => checkout),
    () => faulty.proxy.inject({ errno: 1213 }, INSERT_EVENT, 4),
  )
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 5 }, () => 'rejected'))
  expect(faulty.proxy.queries.filter(([statement]) => statement === 'begin')).toHaveLength(5)
})

test('The log line of a call that took one attempt has no attempts field', async () => {
  const send = await call('points.charge')
  const { headers } = await send()
  expect(Object.keys(await lineOf(headers.get('x-request-id')))).not.toContain('attempts')
})

test('A COMMIT whose answer is lost is counted, and its reason is logged', async () => {
  const send = await call('points.charge')
  const before = counters()
  faulty.proxy.inject('disconnect after', /^commit$/)
  const { status, headers } = await send()
  expect(status).toBe(500)
  expect(await lineOf(headers.get('x-request-id'))).toMatchObject({ attempts: 1, reasons: ['CommitUnknownError'] })
  expect(counters().lostCommits - before.lostCommits).toBe(1)
})

test('When the rollback fails too, the first failure is reported and the connection is clean', async () => {
  const send = await call('points.charge')
  const checksum = await fingerprint(faulty.direct)
  faulty.proxy.inject({ errno: 3819 }, INSERT_EVENT)
  const cut = faulty.proxy.inject('disconnect before', /^rollback$/)
  const { status, headers } = await send()
  expect({ status, cut: cut() }).toEqual({ status: 500, cut: 1 })
  const id = headers.get('x-request-id')
  const failure = faulty.shop.log.map((line) => JSON.parse(line)).find((line) => line.requestId === id && line.err)
  expect(failure).toMatchObject({ msg: 'call failed', err: { errno: 3819 } })
  expect(await fingerprint(faulty.direct)).toBe(checksum)
  expect((await send()).status).toBe(200)
})
