import { createDocument } from '@pointwise/server'
import createClient from 'openapi-fetch'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openShop, type Shop } from '../setup/shop.ts'
import { type GeneratedClient, generateClient } from './generated-client.ts'
import { contentOf, exampleOf, isStream, operations, validatorOf } from './operations.ts'
import { eventsIn } from './server-sent-events.ts'

const MORNING = new Date('2026-03-02T09:30:00Z')

/** The order in which the calls of the examples are made. The streams are opened before the purchase that they report. */
const SCENARIO = [
  'stores.create',
  'stores.list',
  'products.create',
  'products.update',
  'products.restock',
  'products.get',
  'products.list',
  'products.scroll',
  'users.create',
  'users.me',
  'points.charge',
  'orders.onChange',
  'points.onChange',
  'products.onStock',
  'orders.checkout',
  'orders.get',
  'payments.get',
  'products.topSelling',
  'products.trending',
  'orders.place',
  'orders.cancel',
  'payments.pay',
  'points.balance',
  'points.histories',
  'orders.list',
  'payments.refund',
  'products.remove',
  'audit.run',
  'users.remove',
]

const document = JSON.parse(JSON.stringify(createDocument()))
const documented = operations(document)
const validate = validatorOf(document)

let shop: Shop
let client: GeneratedClient
beforeAll(async () => {
  client = await generateClient(document)
  shop = await openShop({ fresh: 'openapi', now: () => MORNING })
})
afterAll(async () => {
  await client[Symbol.asyncDispose]()
  await shop[Symbol.asyncDispose]()
})

test('the scenario contains every operation', () => {
  expect(SCENARIO.toSorted()).toEqual(documented.map(({ name }) => name).toSorted())
})

test('each example compiles against the types that are generated from the document', () => {
  expect(client.compilerErrors).toBe('')
})

test('the server answers the calls of the examples, sent in order as plain JSON, as the examples show', async () => {
  const streams: { name: string; example: unknown; first: Promise<object> }[] = []
  for (const name of SCENARIO) {
    const operation = documented.find((each) => each.name === name) ?? expect.fail(name)
    const { security, responses } = operation
    // The order of the scenario is cancelled by now, so this creates the order to be paid.
    if (name === 'payments.pay')
      await shop.asUser(1).orders.place({ items: [{ productId: 1, quantity: 1, price: 1_300 }] })
    const requiresAdmin = responses[403] && !JSON.stringify(responses[401]).includes('user_not_found')
    const token = requiresAdmin ? await shop.adminToken() : await shop.userToken(1)
    const events = contentOf(document, responses[200], 'text/event-stream')?.schema
    const { answer, refusal, status, first } = (await client.calls[name]?.(
      createClient({
        baseUrl: shop.url,
        headers: security.length > 0 ? { authorization: `Bearer ${token}` } : {},
      }),
      async function* (body) {
        for await (const event of eventsIn(body)) {
          validate(events, event, name)
          yield event
        }
      },
    )) ?? { status: 0 }
    expect({ name, status, refusal }).toEqual({ name, status: 200, refusal: undefined })
    const example = exampleOf(document, operation) ?? expect.fail(`${name} has no example`)
    if (isStream(operation)) {
      streams.push({ name, example, first: first ?? expect.fail(`${name} opened no stream`) })
      continue
    }
    validate(contentOf(document, responses[200])?.schema, { result: { data: { json: answer } } }, name)
    const { json } = (example as { result: { data: { json: unknown } } }).result.data
    expect({ name, answer }).toEqual({ name, answer: name === 'audit.run' ? matchingAudit(json) : json })
  }
  expect(streams).toHaveLength(3)
  for (const { name, example, first } of streams) {
    const { json } = (example as { data: { json: unknown } }).data
    expect({ name, ...(await first) }).toEqual({ name, id: expect.stringMatching(/^\d+$/), answer: json })
  }
})

/** The time and the duration of an audit vary, and the example shows only one of the checks. */
function matchingAudit(example: unknown) {
  const { checks } = example as { checks: unknown[] }
  return {
    ...(example as object),
    asOf: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    durationMs: expect.any(Number),
    checks: expect.arrayContaining(checks),
  }
}
