import manifest from '../../package.json' with { type: 'json' }
import { DEFAULT_TOPIC } from '../config.ts'
import { type JsonSchema, SCHEMA_REF } from '../openapi/json-schema.ts'
import type { EventHeaders } from '../outbox/event-schemas.ts'
import { topicsOf } from '../outbox/topics.ts'
import { COMPATIBILITY } from './compatibility.ts'
import { type EventDescription, eventDescriptions, headerSchema } from './describe-events.ts'

const CHANNEL = 'events'
const KAFKA_BINDING_VERSION = '0.5.0'
const EXAMPLE_TIME = '2026-03-02T09:30:00.000Z'
const EXAMPLE_TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

const DESCRIPTION = `
Every change of balances, orders, products and stock is an event. The server publishes events to Kafka when \`KAFKA_BROKERS\` is
set. An event is stored in the transaction that it describes, so there is an event exactly when there is a change.

## Delivery

Every event is delivered at least once. \`ce_id\` identifies an event, and ids ascend within a partition. A run of events can be
sent again; the first occurrences ascend. A consumer that remembers the highest id of each partition and ignores ids that are not
above it processes each event exactly once.

The events of one user, and the other events of one product, have the same key and therefore the same partition. Between
partitions there is no order.

## Compatibility

${COMPATIBILITY}

## Examples

All examples belong to one scenario, to which the examples of the API also belong.
`.trim()

/** Creates the AsyncAPI 3.1 document of the events from their schemas. `topic` is the Kafka topic of this server. */
export function createAsyncapiDocument({ topic = DEFAULT_TOPIC } = {}) {
  return {
    asyncapi: '3.1.0',
    info: {
      title: 'Pointwise events',
      version: manifest.version,
      description: DESCRIPTION,
      license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
    },
    defaultContentType: 'application/json',
    servers: {
      kafka: {
        host: '{broker}',
        protocol: 'kafka',
        description: 'The Kafka cluster to which this server publishes.',
        variables: {
          broker: {
            description: 'The host and the port of a broker, as in `KAFKA_BROKERS`.',
            default: 'localhost:9092',
          },
        },
      },
    },
    channels: {
      [CHANNEL]: {
        address: topic,
        title: 'Events',
        description: 'The Kafka topic of all events. Its name is the value of `KAFKA_TOPIC`.',
        servers: [{ $ref: '#/servers/kafka' }],
        messages: messageRefs('#/components/messages'),
      },
    },
    operations: {
      publishEvents: {
        action: 'send',
        title: 'Publish events',
        summary: 'The server publishes each event after the transaction that it describes has committed.',
        channel: { $ref: `#/channels/${CHANNEL}` },
        messages: Object.values(messageRefs(`#/channels/${CHANNEL}/messages`)),
      },
    },
    components: {
      messages: Object.fromEntries(eventDescriptions.map((event) => [event.name, messageOf(event)])),
      schemas: Object.fromEntries(eventDescriptions.map(({ name, payload }) => [name, payload])),
    },
  }
}

function messageRefs(path: string) {
  return Object.fromEntries(eventDescriptions.map(({ name }) => [name, { $ref: `${path}/${name}` }]))
}

function messageOf({ type, name, title, description, key, example }: EventDescription) {
  const keySchema = {
    type: 'string',
    description: `\`${key}\`, with the value of the field of the payload.`,
    pattern: `^${key.replaceAll(/\{.*?\}/g, '[1-9]\\d*')}$`,
  }
  return {
    name: type,
    title,
    summary: description,
    description: `The key of the record is \`${key}\`.`,
    contentType: 'application/json',
    headers: headersOf(type, keySchema.pattern),
    payload: { $ref: SCHEMA_REF + name },
    bindings: { kafka: { key: keySchema, bindingVersion: KAFKA_BINDING_VERSION } },
    examples: [{ name, summary: title, headers: exampleHeaders(type, topicsOf(example)[0]), payload: example }],
  }
}

/** The headers of one event type, which determines the values of two of them. */
function headersOf(type: string, keyPattern: string): JsonSchema {
  const { ce_type, ce_subject, ...others } = headerSchema.properties as Record<string, JsonSchema>
  const own = { ce_type: { ...ce_type, const: type }, ce_subject: { ...ce_subject, pattern: keyPattern } }
  return { ...headerSchema, properties: { ...others, ...own } }
}

function exampleHeaders(type: string, key: string): EventHeaders {
  return {
    'content-type': 'application/json',
    ce_specversion: '1.0',
    ce_id: '42',
    ce_type: type,
    ce_source: '/pointwise',
    ce_time: EXAMPLE_TIME,
    ce_subject: key,
    traceparent: EXAMPLE_TRACE,
  }
}
