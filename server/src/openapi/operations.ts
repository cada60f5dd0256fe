import { PING_MS, SSE_CLIENT_OPTIONS } from '../rpc/init.ts'
import type { Example } from '../rpc/meta.ts'
import type { ProcedureDescription } from './describe-procedures.ts'
import { objectSchema, refusalResponses, sheddingResponse, streamErrorSchema } from './error-schemas.ts'
import { type JsonSchema, type TranslatedSchema, translate } from './json-schema.ts'

const SUPERJSON_META = {
  type: 'object',
  description: 'Marks the strings that are dates, for clients that use superjson. Plain JSON clients can ignore it.',
}
const IDEMPOTENCY_KEY_HEADER = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'The key of the call, instead of `idempotencyKey` in the input. If both are sent, they must be equal. The UUID may be in double quotes.',
  schema: { type: 'string' },
}
const INVALID = { $ref: '#/components/responses/Invalid' }
const FAULT = { $ref: '#/components/responses/Fault' }
const EVENT_ID = {
  type: 'string',
  description: 'You have received every change up to this id. To resume from here, send it as `lastEventId`.',
}
const NO_DATA = { const: '' }
const CLIENT_OPTIONS = objectSchema({
  reconnectAfterInactivityMs: {
    type: 'integer',
    description: 'Reconnect when no event has arrived for this many milliseconds.',
  },
})
const STREAM =
  'A stream of server-sent events, each of which has one of these forms. `event` is `message` where the event has no such ' +
  'line, and `data` is the parsed JSON of its line. Failures are events, too: the HTTP status stays 200.'
const ACCESS = {
  public: 'Requires no token.',
  user: 'Requires the token of a user.',
  admin: 'Requires the token of an admin.',
}

/** Describes a procedure as an operation of the document. `named` contains the schemas that it refers to. */
export function describeOperation(procedure: ProcedureDescription) {
  const { path, type, meta } = procedure
  const input = procedure.input && translate(procedure.input, 'input')
  const output = procedure.output && translate(procedure.output, 'output')
  const operation = {
    operationId: path.replace(/\.(\w)/g, (_, letter: string) => letter.toUpperCase()),
    tags: [path.split('.', 1)[0]],
    summary: path,
    description: [meta.description, ACCESS[meta.access ?? 'public']].filter(Boolean).join(' '),
    security: meta.access === 'public' ? [] : [{ token: [] }],
    ...(input && requestInput(type, input, meta.example)),
    responses: type === 'subscription' ? sseResponses(procedure, output) : jsonResponses(procedure, output),
  }
  return { operation, named: { ...input?.named, ...output?.named } }
}

function jsonResponses(procedure: ProcedureDescription, output: TranslatedSchema | undefined) {
  return {
    200: successResponse(output?.schema ?? {}, procedure.meta.example),
    ...(procedure.input && { 400: INVALID }),
    ...refusalResponses(procedure),
    500: FAULT,
  }
}

/** A subscription sends its failures as events. Only load shedding answers with another HTTP status. */
function sseResponses(procedure: ProcedureDescription, output: TranslatedSchema | undefined) {
  const { meta } = procedure
  const change = output?.schema ?? {}
  const events = [
    event('message', 'A change.', { id: EVENT_ID, data: objectSchema({ json: change, 'meta?': SUPERJSON_META }) }),
    event('connected', 'The first event. It has an id when the call succeeds and sent no `lastEventId`.', {
      'id?': EVENT_ID,
      data: CLIENT_OPTIONS,
    }),
    event('ping', `Sent after ${PING_MS / 1_000} seconds without another event.`, { 'id?': EVENT_ID, data: NO_DATA }),
    event('serialized-error', 'Why the call failed; the last event. Its `httpStatus` differs from the HTTP status.', {
      data: streamErrorSchema(procedure),
    }),
    event('return', 'The end of the stream.', { data: NO_DATA }),
  ]
  const examples = {
    connected: { value: { event: 'connected', id: '41', data: SSE_CLIENT_OPTIONS } },
    ...(meta.example && { change: { value: { event: 'message', id: '42', data: { json: meta.example.output } } } }),
  }
  return {
    200: { description: STREAM, content: { 'text/event-stream': { schema: { oneOf: events }, examples } } },
    ...sheddingResponse(procedure),
  }
}

function event(name: string, description: string, fields: Record<string, JsonSchema>): JsonSchema {
  return { ...objectSchema({ event: { const: name }, ...fields }), description }
}

/** A query or subscription takes its input as JSON text in the query string, a mutation as its body. */
function requestInput(
  type: ProcedureDescription['type'],
  { schema, isOptional }: TranslatedSchema,
  example: Example | undefined,
) {
  const content = {
    'application/json': {
      schema: objectSchema({ json: schema }),
      ...(example && 'input' in example && { example: { json: example.input } }),
    },
  }
  if (type === 'mutation') {
    const { idempotencyKey } = (schema.properties ?? {}) as Record<string, unknown>
    return {
      ...(idempotencyKey !== undefined && { parameters: [IDEMPOTENCY_KEY_HEADER] }),
      requestBody: { required: !isOptional, content },
    }
  }
  return { parameters: [{ name: 'input', in: 'query', required: !isOptional, content }] }
}

function successResponse(schema: JsonSchema, example: Example | undefined) {
  const result = objectSchema({ data: objectSchema({ json: schema, 'meta?': SUPERJSON_META }) })
  return {
    description: 'The call succeeded.',
    content: {
      'application/json': {
        schema: objectSchema({ result }),
        ...(example && { example: { result: { data: { json: example.output } } } }),
      },
    },
  }
}
