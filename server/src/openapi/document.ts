import manifest from '../../package.json' with { type: 'json' }
import { procedureDescriptions } from './describe-procedures.ts'
import { SHARED_RESPONSES } from './error-schemas.ts'
import { translate } from './json-schema.ts'
import { describeOperation } from './operations.ts'
import { refusalDescriptions } from './refusal-schemas.ts'

const TAGS = {
  users: 'Who may buy.',
  stores: 'Who sells.',
  products: 'What is sold.',
  points: 'What is paid with.',
  orders: 'What was ordered.',
  payments: 'What was paid, and refunded.',
  audit: 'Whether the books are sound.',
}

const DESCRIPTION = `
Customers charge points, browse products, place orders and pay them with points.

Everything here can be called in plain JSON. A query is a GET with its input as a text of JSON in the parameter \`input\`; a
mutation is a POST with its input as the body. Either way the input is \`{ "json": … }\`, and the answer is \`{ "result": {
"data": { "json": … } } }\`. Dates are texts, such as \`2026-03-02T09:30:00.000Z\`.

A subscription is a GET as well, which answers with server-sent events. To go on after the connection was lost, send the last
\`id\` that came as \`lastEventId\` in the input, or as the header \`Last-Event-ID\`. A failure is told as the event
\`serialized-error\`, whose data is the \`error\` of other answers; only \`service_busy\` may come as a status, too.

There are three kinds of failure, told apart by \`error.json.data\`. *Invalid* (400): the input is not what is described, see
\`issues\`. *Refused*: a rule of the shop says no, see \`refusal\`; its \`code\` never changes, and its \`retry\` tells what helps.
*Fault* (500): ours, logged under \`requestId\`.

The examples tell one story, each call following from those before it.
`.trim()

/** The description of the API, in OpenAPI 3.1, made from the router. */
export function createDocument() {
  const operations = procedureDescriptions.map((procedure) => ({ ...procedure, ...describeOperation(procedure) }))
  const refusals = refusalDescriptions.map(({ schema }) => translate(schema, 'output'))
  const named = Object.assign({}, ...[...operations, ...refusals].map((each) => each.named))
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
      schemas: named,
      responses: SHARED_RESPONSES,
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'A token of your identity provider: of a user, or with `role: "admin"`.',
        },
      },
    },
  }
}
