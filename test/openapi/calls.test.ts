import { createDocument } from '@pointwise/server'
import createClient from 'openapi-fetch'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openShop, type Shop } from '../setup/shop.ts'
import { type GeneratedClient, generateClient } from './generated-client.ts'
import { contentOf, exampleOf, isStream, operations, validatorOf } from './operations.ts'
import { eventsIn } from './server-sent-events.ts'

const MORNING = new Date('2026-03-02T09:30:00Z')

/** The calls of the examples, each following from those before it; what is listened to tells of the next purchase. */
const STORY = [
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
const described = operations(document)
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

test('the story has every operation', () => {
  expect(STORY.toSorted()).toEqual(described.map(({ name }) => name).toSorted())
})

test('the compiler takes each example for what the document says of its operation', () => {
  expect(client.complaints).toBe('')
})

test('each example is true: called in plain JSON, one after the other, the server answers as they say', async () => {
  const told: { name: string; example: unknown; first: Promise<object> }[] = []
  for (const name of STORY) {
    const operation = described.find((each) => each.name === name) ?? expect.fail(name)
    const { security, responses } = operation
    // An order to be paid: the one before it was cancelled.
    if (name === 'payments.pay')
      await shop.asUser(1).orders.place({ items: [{ productId: 1, quantity: 1, price: 1_300 }] })
    const isForAdmins = responses[403] && !JSON.stringify(responses[401]).includes('user_not_found')
    const token = isForAdmins ? await shop.adminToken() : await shop.userToken(1)
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
      told.push({ name, example, first: first ?? expect.fail(`${name} is no stream`) })
      continue
    }
    validate(contentOf(document, responses[200])?.schema, { result: { data: { json: answer } } }, name)
    const { json } = (example as { result: { data: { json: unknown } } }).result.data
    expect({ name, answer }).toEqual({ name, answer: name === 'audit.run' ? likeAudit(json) : json })
  }
  expect(told).toHaveLength(3)
  for (const { name, example, first } of told) {
    const { json } = (example as { data: { json: unknown } }).data
    expect({ name, ...(await first) }).toEqual({ name, id: expect.stringMatching(/^\d+$/), answer: json })
  }
})

/** How long it took and when is never the same, and of many checks the example shows one. */
function likeAudit(example: unknown) {
  const { checks } = example as { checks: unknown[] }
  return {
    ...(example as object),
    asOf: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    durationMs: expect.any(Number),
    checks: expect.arrayContaining(checks),
  }
}
