import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { kafkaMessageOf } from '../../server/src/relay/kafka-message.ts'
import { run } from '../setup/database.ts'
import { openShop } from '../setup/shop.ts'

const page = readFileSync(join(resolve(import.meta.dirname, '../..'), 'docs/events.md'), 'utf8')
const [, json = ''] = /^## Debezium[\s\S]*?^```json\n([\s\S]*?)^```$/m.exec(page) ?? []
const { config }: { config: Record<string, string> } = JSON.parse(json)

const listOf = (name: string) => (config[name] ?? expect.fail(`The configuration has no ${name}.`)).split(',')
const placements = listOf('transforms.outbox.table.fields.additional.placement').map((field) => field.split(':'))

/** The headers of the configuration that have the same value in each message. */
const constants = listOf('transforms').flatMap((transform) => {
  const option = (name: string) => config[`transforms.${transform}.${name}`]
  const name = option('header') ?? option('static.field')
  return name === undefined ? [] : [[name, option('value.literal') ?? option('static.value')] as const]
})

test('the connector of docs/events.md reads columns that the table events has', async () => {
  await using shop = await openShop()
  const rows = await run<{ name: string }>(
    shop.db,
    `select column_name as name from information_schema.columns where table_schema = database() and table_name = 'events'`,
  )
  const columns = rows.map(({ name }) => name)
  const fields = ['table.field.event.id', 'table.field.event.key', 'table.field.event.payload', 'route.by.field']
  expect(columns).toEqual(expect.arrayContaining(fields.map((name) => config[`transforms.outbox.${name}`])))
  expect(columns).toEqual(expect.arrayContaining(placements.map(([column]) => column)))
})

test('the connector of docs/events.md writes the headers and the topic of the relay', () => {
  const event = { id: 7, type: 'order.paid', key: 'user:1', payload: '{}', at: new Date(), traceparent: '00-1-2-01' }
  const { headers } = kafkaMessageOf(event)
  const names = [...placements.map(([, , name]) => name), ...constants.map(([name]) => name)]
  expect(names.toSorted()).toEqual(Object.keys(headers).toSorted())
  for (const [name, value] of constants) expect(headers).toMatchObject({ [name]: value })
  expect(config['transforms.outbox.route.topic.replacement']).toBe('pointwise.events')
})
