import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run } from '../setup/database.ts'
import { eventually } from '../setup/eventually.ts'
import { post } from '../setup/raw-http.ts'
import { item } from '../setup/shop.ts'
import { type Call, MUTATIONS, type Stocked, stocked, tokenFor } from './calls.ts'
import { type FaultyShop, openFaultyShop } from './faulty-shop.ts'

const COMMIT = /^commit$/

let faulty: FaultyShop
let given: Stocked
beforeAll(async () => {
  faulty = await openFaultyShop()
  given = await stocked(faulty.shop)
})
afterAll(() => faulty[Symbol.asyncDispose]())

const commits = () => faulty.proxy.queries.filter(([statement]) => statement === 'commit').length
const begins = () => faulty.proxy.queries.filter(([statement]) => statement === 'begin').length
const countOf = async (table: string, where = 'true') =>
  (await run<{ n: number }>(faulty.direct, `select count(*) as n from ${table} where ${where}`))[0]?.n ?? 0

/** The rows that each call writes once. */
const EFFECTS: [path: string, countEffects: () => Promise<number>][] = [
  ['points.charge', () => countOf('point_histories', "use_type = 'CHARGE'")],
  ['orders.place', () => countOf('orders')],
  ['orders.checkout', () => countOf('payments')],
  ['payments.pay', () => countOf('payments')],
  ['orders.cancel', () => countOf('events', "type = 'order.cancelled'")],
  ['payments.refund', () => countOf('refunds')],
]

async function prepare(path: string, countEffects: () => Promise<number>) {
  const call = MUTATIONS.find((each) => each.path === path) as Call
  const input = await call.given(given)
  const before = await countEffects()
  faulty.proxy.queries.length = 0
  return { call, input, token: tokenFor(call, given), before }
}

describe.each(['before', 'after'] as const)(
  'A connection that is lost at COMMIT, %s the database has received it:',
  (when) => {
    test.each(EFFECTS)('%s through the SDK takes effect once and returns its result', async (path, countEffects) => {
      const { input, token, before } = await prepare(path, countEffects)
      const injected = faulty.proxy.inject(`disconnect ${when}`, COMMIT)
      const { points, orders, payments } = faulty.shop.client({ token })
      const mutations: Record<string, (input: never) => Promise<object>> = {
        'points.charge': points.charge.mutate,
        'orders.place': orders.place.mutate,
        'orders.checkout': orders.checkout.mutate,
        'payments.pay': payments.pay.mutate,
        'orders.cancel': orders.cancel.mutate,
        'payments.refund': payments.refund.mutate,
      }
      const answer = await mutations[path]?.(input as never)

      expect(injected()).toBe(1)
      expect((await countEffects()) - before).toBe(1)
      // Where the server resolves the outcome, the client sees a first result; where the client repeats the call, a replay.
      const isRepeated = !['orders.checkout', 'payments.pay', 'orders.cancel'].includes(path)
      expect(answer).toMatchObject(
        path === 'orders.cancel' ? { status: 'cancelled' } : { replayed: isRepeated && when === 'after' },
      )
    })

    test.each(EFFECTS.filter(([path]) => ['points.charge', 'orders.place', 'payments.refund'].includes(path)))(
      '%s without a client-side key has an unknown outcome and is not repeated',
      async (path, countEffects) => {
        const { input, token, before } = await prepare(path, countEffects)
        const injected = faulty.proxy.inject(`disconnect ${when}`, COMMIT)
        const { status, text } = await post(faulty.shop, path, { input, token })

        expect({ status, injected: injected(), begins: begins(), commits: commits() }).toEqual({
          status: 500,
          injected: 1,
          begins: 1,
          commits: 1,
        })
        const { message, data } = JSON.parse(text).error.json
        expect(message).toBe('The connection to the database was lost, and the outcome of this call is unknown.')
        expect(data).toMatchObject({ code: 'INTERNAL_SERVER_ERROR', outcome: 'unknown', refusal: null })
        expect((await countEffects()) - before).toBe(when === 'after' ? 1 : 0)
      },
    )

    test.each(EFFECTS.filter(([path]) => ['orders.checkout', 'payments.pay', 'orders.cancel'].includes(path)))(
      '%s without a client-side key takes effect once, because the server resolves the outcome',
      async (path, countEffects) => {
        const { input, token, before } = await prepare(path, countEffects)
        const injected = faulty.proxy.inject(`disconnect ${when}`, COMMIT)
        const { status, text } = await post(faulty.shop, path, { input, token })

        expect({ status, injected: injected() }).toEqual({ status: 200, injected: 1 })
        expect(JSON.parse(text).result.data.json).toMatchObject(
          path === 'orders.cancel' ? { status: 'cancelled' } : { replayed: false },
        )
        expect((await countEffects()) - before).toBe(1)
      },
    )
  },
)

describe('A database that stays unreachable after COMMIT was sent', () => {
  test.each([
    ['orders.checkout', 'disable before'],
    ['orders.checkout', 'disable after'],
    ['payments.pay', 'disable before'],
    ['payments.pay', 'disable after'],
    ['orders.cancel', 'disable before'],
    ['orders.cancel', 'disable after'],
  ] as const)('makes the outcome of %s unknown, never service_busy (%s)', async (path, fault) => {
    const [, countEffects = async () => 0] = EFFECTS.find(([each]) => each === path) ?? []
    const { input, token, before } = await prepare(path, countEffects)
    faulty.proxy.inject(fault, COMMIT)
    const { status, text } = await post(faulty.shop, path, { input, token })
    faulty.proxy.enable()

    expect({ status, outcome: JSON.parse(text).error.json.data.outcome }).toEqual({ status: 500, outcome: 'unknown' })
    expect((await countEffects()) - before).toBe(fault === 'disable after' ? 1 : 0)
  })

  test('and is reachable again while the SDK retries has one effect', async () => {
    const { before } = await prepare('orders.checkout', () => countOf('payments'))
    faulty.proxy.inject('disable after', COMMIT)
    const bought = given.user.client.orders.checkout.mutate({ items: [item(given.product)] })
    await eventually(faulty.proxy.isEnabled).toBe(false)
    faulty.proxy.enable()
    expect(await bought).toMatchObject({ order: { status: 'paid' } })
    expect((await countOf('payments')) - before).toBe(1)
  })
})

test('An order that was paid while its lost cancellation was resolved is not reported as cancelled', async () => {
  const { shop, user, product } = given
  const { id: orderId } = await user.client.orders.place.mutate({ items: [item(product)] })
  faulty.proxy.queries.length = 0
  faulty.proxy.inject('disconnect before', COMMIT)
  const release = Promise.withResolvers<void>()
  let begun = 0
  faulty.proxy.inject({ until: release.promise }, (statement) => statement === 'begin' && ++begun === 2)
  const cancelled = post(shop, 'orders.cancel', { token: user.token, input: { orderId } })
  await eventually(begins).toBe(2)
  await user.client.payments.pay.mutate({ orderId })
  release.resolve()
  expect((await cancelled).refusal).toEqual({ code: 'order_not_cancellable', retry: 'never', status: 'paid' })
})
