import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventPayloads } from '../../server/src/outbox/event-schemas.ts'
import type { SettlementRequest } from '../../server/src/payments/settlement/decide.ts'
import { MUTATIONS, type Stocked, stocked, tokenFor } from '../faults/calls.ts'
import { settleTogether, summaryOf } from '../settlement/batches.ts'
import { run } from '../setup/database.ts'
import { post } from '../setup/raw-http.ts'
import { item, newKey, openShop, type Shop } from '../setup/shop.ts'
import { json, send } from '../setup/trpc-wire.ts'

/** A parameter that tRPC's adapter ignores, and that makes the fast path leave the request to the adapter. */
const PATHS = { 'on the fast path': '', 'through tRPC’s adapter': '?path=adapter' }
const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const OTHER = '00-00000000000000000000000000000001-0000000000000001-ff'

let shop: Shop
let given: Stocked
beforeAll(async () => {
  shop = await openShop()
  given = await stocked(shop)
})
afterAll(() => shop[Symbol.asyncDispose]())

interface TracedEvent {
  id: number
  type: string
  traceparent: string | null
}

const eventsAfter = (id: number) =>
  run<TracedEvent>(shop.db, `select id, type, traceparent from events where id > ${id} order by id`)

/** The events that a call causes. */
async function eventsOf(call: () => Promise<unknown>): Promise<Omit<TracedEvent, 'id'>[]> {
  const last = (await eventsAfter(0)).at(-1)
  await call()
  return (await eventsAfter(last?.id ?? 0)).map(({ type, traceparent }) => ({ type, traceparent }))
}

/** The trace context of the event of a charge with this header. */
async function traceparentFor(header: string): Promise<(string | null)[]> {
  const events = await eventsOf(async () => {
    const { status } = await post(shop, 'points.charge', {
      input: { amount: 1 },
      token: given.user.token,
      headers: { traceparent: header },
    })
    expect(status).toBe(200)
  })
  return events.map(({ traceparent }) => traceparent)
}

for (const [how, query] of Object.entries(PATHS)) {
  describe(how, () => {
    test('every event of every mutation has the traceparent of its request, or none', async () => {
      const types = new Set<string>()
      for (const call of MUTATIONS) {
        for (const expected of [PARENT, null]) {
          const input = await call.given(given)
          const events = await eventsOf(async () => {
            const headers = expected === null ? {} : { traceparent: expected }
            const { status } = await post(shop, call.path + query, { input, token: tokenFor(call, given), headers })
            expect({ path: call.path, status }).toEqual({ path: call.path, status: 200 })
          })
          expect(events).toEqual(events.map(({ type }) => ({ type, traceparent: expected })))
          for (const { type } of events) types.add(type)
        }
      }
      expect([...types].toSorted()).toEqual(Object.keys(eventPayloads).toSorted())
    })
  })
}

test('the calls of an HTTP batch have the traceparent of its request', async () => {
  const body = JSON.stringify({ 0: { json: { amount: 1 } }, 1: { json: { amount: 2 } } })
  const headers = { authorization: `Bearer ${given.user.token}`, traceparent: PARENT }
  const charged = { type: 'points.charged', traceparent: PARENT }
  expect(await eventsOf(() => send(shop, '/trpc/points.charge,points.charge?batch=1', json(body, headers)))).toEqual([
    charged,
    charged,
  ])
})

test('each request of a settlement batch keeps its own', async () => {
  const { user, product } = given
  const order = await shop.asUser(user.id).orders.place({ items: [item(product)] })
  const now = new Date()
  const checkout = (): SettlementRequest => ({
    kind: 'checkout',
    userId: user.id,
    items: [item(product)],
    idempotencyKey: newKey(),
    now,
  })
  const events = await eventsOf(async () => {
    const outcomes = await settleTogether(shop, [
      { ...checkout(), traceparent: PARENT },
      { kind: 'pay', userId: user.id, orderId: order.id, now, traceparent: OTHER },
      checkout(),
    ])
    expect(summaryOf(outcomes)).toEqual(outcomes.map(() => ({ balance: expect.any(Number), replayed: false })))
  })
  expect(events).toEqual([
    { type: 'order.placed', traceparent: PARENT },
    { type: 'order.paid', traceparent: PARENT },
    { type: 'order.paid', traceparent: OTHER },
    { type: 'order.placed', traceparent: null },
    { type: 'order.paid', traceparent: null },
  ])
})

test('a repeated call keeps the traceparent of the first one', async () => {
  const { user, product } = given
  const idempotencyKey = newKey()
  for (const [path, input] of [
    ['points.charge', { amount: 1, idempotencyKey }],
    ['orders.place', { items: [item(product)], idempotencyKey }],
    ['orders.checkout', { items: [item(product)], idempotencyKey: newKey() }],
  ] as const) {
    const events = await eventsOf(async () => {
      for (const traceparent of [PARENT, OTHER]) {
        const answer = await post(shop, path, { input, token: user.token, headers: { traceparent } })
        expect(JSON.parse(answer.text).result.data.json.replayed).toBe(traceparent === OTHER)
      }
    })
    expect(events.map(({ traceparent }) => traceparent)).toEqual(events.map(() => PARENT))
    expect(events.length).toBeGreaterThan(0)
  }
})

test('the traceparent is stored as it was sent, with any flags', async () => {
  for (const valid of [PARENT, OTHER, PARENT.replace(/01$/, '00'), ` ${PARENT} `]) {
    expect(await traceparentFor(valid)).toEqual([valid.trim()])
  }
})

test('a malformed traceparent is ignored, and the call succeeds', async () => {
  const [version, trace, parent, flags] = PARENT.split('-') as [string, string, string, string]
  const malformed = [
    '',
    '0',
    'null',
    PARENT.toUpperCase(),
    PARENT.replaceAll('-', ''),
    PARENT.slice(0, -1),
    `${PARENT}0`,
    `${PARENT}-00`,
    `${PARENT}, ${OTHER}`,
    `"${PARENT}"`,
    `${PARENT}\t${PARENT}`,
    `01-${trace}-${parent}-${flags}`,
    `ff-${trace}-${parent}-${flags}`,
    `${version}-${'0'.repeat(32)}-${parent}-${flags}`,
    `${version}-${trace}-${'0'.repeat(16)}-${flags}`,
    `${version}-${trace}0-${parent.slice(1)}-${flags}`,
    `${version}-${trace.replace('a', 'g')}-${parent}-${flags}`,
    `${version}-${trace}-${parent.replace('b', 'é')}-${flags}`,
    `${version}-${trace}-${parent}-0x`,
    PARENT.repeat(100),
  ]
  for (const header of malformed) {
    expect({ header, stored: await traceparentFor(header) }).toEqual({ header, stored: [null] })
  }
})

test('an in-process call has none', async () => {
  expect(await eventsOf(() => shop.asUser(given.user.id).points.charge({ amount: 1 }))).toEqual([
    { type: 'points.charged', traceparent: null },
  ])
})
