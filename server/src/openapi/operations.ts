import type { Example } from '../trpc.ts'
import { object, refusalResponses } from './errors.ts'
import { type JsonSchema, type Translated, translate } from './json-schema.ts'
import type { Described } from './procedures.ts'

const META = {
  type: 'object',
  description: 'Which texts are dates, for clients that read superjson. In plain JSON, pass over it.',
}
const INVALID = { $ref: '#/components/responses/Invalid' }
const FAULT = { $ref: '#/components/responses/Fault' }
const WHO = { everybody: 'For everybody.', user: 'For users.', admin: 'For admins.' }

/** How a procedure is called over HTTP, as an operation of the document, and the schemas that it refers to. */
export function describeOperation(procedure: Described) {
  const { path, type, meta } = procedure
  const input = procedure.input && translate(procedure.input, 'input')
  const output = procedure.output && translate(procedure.output, 'output')
  const operation = {
    operationId: path.replace(/\.(\w)/g, (_, letter: string) => letter.toUpperCase()),
    tags: [path.split('.', 1)[0]],
    summary: path,
    description: [meta.description, WHO[meta.who ?? 'everybody']].filter(Boolean).join(' '),
    security: meta.who === 'everybody' ? [] : [{ token: [] }],
    ...(input && asked(type, input, meta.example)),
    responses: {
      200:
        type === 'subscription'
          ? told(output?.schema ?? {}, meta.example)
          : answered(output?.schema ?? {}, meta.example),
      ...(input && { 400: INVALID }),
      ...refusalResponses(procedure),
      500: FAULT,
    },
  }
  return { operation, named: { ...input?.named, ...output?.named } }
}

/** The events of a subscription, each with what it tells as its data. */
function told(schema: JsonSchema, example: Example | undefined) {
  return {
    description: 'Events, for as long as you listen. The data of each is what is described here.',
    content: {
      'text/event-stream': {
        schema: object({ json: schema, 'meta?': META }),
        ...(example && { example: { json: example.output } }),
      },
    },
  }
}

/** A query takes its input as a text of JSON in the address, a mutation as its body. */
function asked(type: Described['type'], { schema, isOptional }: Translated, example: Example | undefined) {
  const content = {
    'application/json': {
      schema: object({ json: schema }),
      ...(example && 'input' in example && { example: { json: example.input } }),
    },
  }
  if (type === 'mutation') return { requestBody: { required: !isOptional, content } }
  return { parameters: [{ name: 'input', in: 'query', required: !isOptional, content }] }
}

function answered(schema: JsonSchema, example: Example | undefined) {
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
