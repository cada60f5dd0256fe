import manifest from '../../package.json' with { type: 'json' }
import { procedureDescriptions } from './describe-procedures.ts'
import { SHARED_RESPONSES } from './error-schemas.ts'
import { translate } from './json-schema.ts'
import { describeOperation } from './operations.ts'
import { refusalDescriptions } from './refusal-schemas.ts'

const TAGS = {
  users: 'Customers, who own a wallet of points.',
  stores: 'Stores, which sell products.',
  products: 'Products, their prices, stock and sales rankings.',
  points: 'The wallet of a user and its history.',
  orders: 'Orders of products.',
  payments: 'Payments of orders, and refunds.',
  audit: 'Checks of the consistency of balances, stock, orders and payments.',
}

const DESCRIPTION = `
Customers top up points, browse products, place orders and pay for them with points.

## Calls

You can call every procedure with plain JSON. A query is a GET request with its input as JSON text in the query parameter
\`input\`. A mutation is a POST request with its input as the body. The input has the form \`{ "json": … }\`, and the response has
the form \`{ "result": { "data": { "json": … } } }\`. Dates are strings such as \`2026-03-02T09:30:00.000Z\`.

## Subscriptions

A subscription is a GET request. The response is a stream of server-sent events. To resume after a disconnect, send the last
\`id\` that you received, as \`lastEventId\` in the input or in the header \`Last-Event-ID\`. A failure is sent as the event
\`serialized-error\`, whose data has the form of \`error\` in other responses. Only \`service_busy\` can also be sent as an HTTP status.

## Events

Other services can consume every change from Kafka. The AsyncAPI document \`/asyncapi.json\` describes these events.

## Failures

There are three kinds of failure. \`error.json.data\` distinguishes them.

- *Invalid* (400): the input does not match its schema. \`issues\` lists what is wrong.
- *Refused*: a business rule rejects the call. \`refusal.code\` identifies the rule and never changes. \`refusal.retry\` is
  \`same-key\` when the same call with the same idempotency key may succeed later.
- *Fault* (500): an internal error of the server. The server's log contains it under \`requestId\`.

## Examples

All examples belong to one scenario: each call follows from the earlier ones.
`.trim()

/** Creates the OpenAPI 3.1 document of the API from the router. */
export function createDocument() {
  const operations = procedureDescriptions.map((procedure) => ({ ...procedure, ...describeOperation(procedure) }))
  const refusals = refusalDescriptions.map(({ schema }) => translate(schema, 'output'))
  const schemas = Object.assign({}, ...[...operations, ...refusals].map(({ named }) => named))
  const { version } = manifest
  return {
    openapi: '3.1.1',
    info: { title: 'Pointwise', version, description: DESCRIPTION, license: { name: 'MIT', identifier: 'MIT' } },
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths: Object.fromEntries(
      operations.map(({ path, type, operation }) => [
        `/trpc/${path}`,
        { [type === 'mutation' ? 'post' : 'get']: operation },
      ]),
    ),
    components: {
      schemas,
      responses: SHARED_RESPONSES,
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description:
            'An access token of your identity provider. The token of an admin has the claim `role: "admin"`.',
        },
      },
    },
  }
}
