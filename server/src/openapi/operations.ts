import { PING_MS, SSE_CLIENT_OPTIONS } from '../rpc/init.ts'
import type { Example } from '../rpc/meta.ts'
import type { ProcedureDescription } from './describe-procedures.ts'
import { errorsOfStream, object, refusalResponses, shedResponse } from './error-schemas.ts'
import { type JsonSchema, type Translated, translate } from './json-schema.ts'

const META = {
  type: 'object',
  description: 'Which texts are dates, for clients that read superjson. In plain JSON, pass over it.',
}
const INVALID = { $ref: '#/components/responses/Invalid' }
const FAULT = { $ref: '#/components/responses/Fault' }
const ID = { type: 'string', description: 'Up to here all is told: to go on from here, send it as `lastEventId`.' }
const EMPTY = { const: '' }
const CLIENT = object({
  reconnectAfterInactivityMs: { type: 'integer', description: 'After how much silence to come back.' },
})
const STREAM =
  'Server-sent events, for as long as you listen, each of which is one of these: `event` is `message` where its line is missing, ' +
  'and `data` is what its line holds as JSON. A failure comes as an event, too, under this status.'
const ACCESS = {
  public: 'Requires no token.',
  user: 'Requires the token of a user.',
  admin: 'Requires the token of an admin.',
}

/** How a procedure is called over HTTP, as an operation of the document, and the schemas that it refers to. */
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
    responses: type === 'subscription' ? sseResponse(procedure, output) : jsonResponses(procedure, output),
  }
  return { operation, named: { ...input?.named, ...output?.named } }
}

function jsonResponses(procedure: ProcedureDescription, output: Translated | undefined) {
  return {
    200: successResponse(output?.schema ?? {}, procedure.meta.example),
    ...(procedure.input && { 400: INVALID }),
    ...refusalResponses(procedure),
    500: FAULT,
  }
}

/** A subscription tells its failures as events: only who is turned away at the door hears it by the status. */
function sseResponse(procedure: ProcedureDescription, output: Translated | undefined) {
  const { meta } = procedure
  const change = output?.schema ?? {}
  const events = [
    event('message', 'A change.', { id: ID, data: object({ json: change, 'meta?': META }) }),
    event('connected', 'The first event. It has an id where the call succeeds and named none.', {
      'id?': ID,
      data: CLIENT,
    }),
    event('ping', `Said after ${PING_MS / 1_000} seconds of silence.`, { 'id?': ID, data: EMPTY }),
    event('serialized-error', 'Why the call failed; the last event. Its `httpStatus` is not that of the answer.', {
      data: errorsOfStream(procedure),
    }),
    event('return', 'The stream is over.', { data: EMPTY }),
  ]
  const examples = {
    connected: { value: { event: 'connected', id: '41', data: SSE_CLIENT_OPTIONS } },
    ...(meta.example && { change: { value: { event: 'message', id: '42', data: { json: meta.example.output } } } }),
  }
  return {
    200: { description: STREAM, content: { 'text/event-stream': { schema: { oneOf: events }, examples } } },
    ...shedResponse(procedure),
  }
}

function event(name: string, description: string, fields: Record<string, JsonSchema>): JsonSchema {
  return { ...object({ event: { const: name }, ...fields }), description }
}

/** A query takes its input as a text of JSON in the address, a mutation as its body. */
function requestInput(
  type: ProcedureDescription['type'],
  { schema, isOptional }: Translated,
  example: Example | undefined,
) {
  const content = {
    'application/json': {
      schema: object({ json: schema }),
      ...(example && 'input' in example && { example: { json: example.input } }),
    },
  }
  if (type === 'mutation') return { requestBody: { required: !isOptional, content } }
  return { parameters: [{ name: 'input', in: 'query', required: !isOptional, content }] }
}

function successResponse(schema: JsonSchema, example: Example | undefined) {
  return {
    description: 'What was asked for.',
    content: {
      'application/json': {
        schema: object({ result: object({ data: object({ json: schema, 'meta?': META }) }) }),
        ...(example && { example: { result: { data: { json: example.output } } } }),
      },
    },
  }
}
