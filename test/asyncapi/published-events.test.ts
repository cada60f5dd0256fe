import { createAsyncapiDocument } from '@pointwise/server'
import { expect, test } from 'vitest'
import { type KafkaMessage, kafkaMessageOf } from '../../server/src/relay/kafka-message.ts'
import { run } from '../setup/database.ts'
import { openShop } from '../setup/shop.ts'
import { isValid, messages } from './messages.ts'

const MORNING = new Date('2026-03-02T09:30:00Z')

const described = messages(JSON.parse(JSON.stringify(createAsyncapiDocument())))

test('the events of a shop match the document, and contain each of its examples', async () => {
  await using shop = await openShop({ fresh: 'asyncapi', now: () => MORNING })
  const admin = shop.asAdmin()
  const { id: storeId } = await admin.stores.create({ name: 'Kitchen & Co' })
  const { id: productId } = await admin.products.create({ storeId, name: 'Blue Mug', price: 1_200, stock: 25 })
  await admin.products.update({ productId, price: 1_300 })
  await admin.products.restock({ productId, quantity: 15 })
  const { id: userId } = await admin.users.create({ name: 'Ada' })
  const ada = shop.asUser(userId)
  const mugs = (quantity: number) => ({ items: [{ productId, quantity, price: 1_300 }] })
  await ada.points.charge({ amount: 10_000 })
  const { order } = await ada.orders.checkout(mugs(2))
  await ada.orders.cancel({ orderId: (await ada.orders.place(mugs(1))).id })
  await ada.payments.pay({ orderId: (await ada.orders.place(mugs(1))).id })
  await admin.payments.refund({ orderId: order.id })
  await admin.products.remove({ productId })

  const rows = await run<{ id: number; type: string; key: string; payload: string; at: Date }>(
    shop.db,
    'select id, type, `key`, cast(payload as char) as payload, created_at as at from events order by id',
  )
  const traces = [null, '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01']
  for (const traceparent of traces) {
    for (const row of rows) expectDescribed(kafkaMessageOf({ ...row, traceparent }))
  }
  const events = rows.map(({ type, payload }) => ({ type, payload: JSON.parse(payload) }))
  for (const { name, examples } of described) {
    for (const { payload } of examples) expect(events).toContainEqual({ type: name, payload })
  }
})

function expectDescribed({ key, value, headers }: KafkaMessage): void {
  const { ce_type: type } = headers
  const message = described.find(({ name }) => name === type) ?? expect.fail(`${type} is not described`)
  const payload = JSON.parse(value)
  const validity = {
    payload: isValid(message.payload, payload),
    headers: isValid(message.headers, headers),
    key: isValid(message.bindings.kafka.key, key),
  }
  expect({ key, payload, headers, validity }).toMatchObject({ validity: { payload: true, headers: true, key: true } })
  const { properties } = message.headers as { properties: object }
  expect(Object.keys(properties)).toEqual(expect.arrayContaining(Object.keys(headers)))
}
