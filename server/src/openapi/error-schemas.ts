import { TRPC_ERROR_CODES_BY_KEY } from '@trpc/server/rpc'
import type { ProcedureDescription } from './describe-procedures.ts'
import { type JsonSchema, SCHEMA_REF } from './json-schema.ts'
import { type RefusalDescription, refusalDescriptions } from './refusal-schemas.ts'

const EXAMPLE_REQUEST_ID = '6f1a2f0e-4c1b-4f5e-9d0a-2f3b4c5d6e7f'
const NULL = { const: null }
const SERVICE_UNAVAILABLE = 503
const RETRY_AFTER = {
  'Retry-After': {
    description: 'The number of seconds after which the same call may succeed.',
    schema: { type: 'integer' },
  },
}

type ErrorCode = keyof typeof TRPC_ERROR_CODES_BY_KEY

/** The fields of an error that depend on the kind of failure. Those that are missing are null. */
interface FailureFields<Value> {
  refusal?: Value
  issues?: Value
  outcome?: Value
}

/** A failure with one status: invalid input, a fault, or the refusals that share the status. */
interface Failure {
  code: ErrorCode
  httpStatus: number
  description: string
  fields: FailureFields<JsonSchema>
  examples: Record<string, { message: string; fields: FailureFields<unknown> }>
}

/** The response of a failure. Without `path`, the response applies to every procedure. */
function response({ examples, ...failure }: Failure, path?: string) {
  const { code, httpStatus, description } = failure
  const exampleResponses = Object.entries(examples).map(([name, { message, fields }]) => {
    const nulls = { refusal: null, issues: null, outcome: null }
    const data = { code, httpStatus, ...(path && { path }), requestId: EXAMPLE_REQUEST_ID, ...nulls, ...fields }
    return [name, { value: { error: { json: { message, code: TRPC_ERROR_CODES_BY_KEY[code], data } } } }]
  })
  return {
    description,
    ...((httpStatus === 429 || httpStatus === SERVICE_UNAVAILABLE) && { headers: RETRY_AFTER }),
    content: {
      'application/json': {
        schema: objectSchema({ error: errorSchema(failure) }),
        examples: Object.fromEntries(exampleResponses),
      },
    },
  }
}

function errorSchema({ code, httpStatus, fields }: Pick<Failure, 'code' | 'httpStatus' | 'fields'>): JsonSchema {
  const { refusal = NULL, issues = NULL, outcome = NULL } = fields
  const data = objectSchema({
    code: { const: code },
    httpStatus: { const: httpStatus },
    'path?': { type: 'string', description: 'The procedure; absent when the request reached none.' },
    requestId: { type: ['string', 'null'], description: "The id of the request in the server's log." },
    refusal,
    issues,
    outcome,
  })
  const message = { type: 'string', description: 'A text for people. It may change; the codes do not.' }
  return objectSchema({ json: objectSchema({ message, code: { type: 'integer' }, data }) })
}

/** An object with these fields. A field whose name ends in a question mark is optional. */
export function objectSchema(fields: Record<string, JsonSchema>): JsonSchema {
  const names = Object.keys(fields)
  return {
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name.replace(/\?$/, ''), fields[name]])),
    required: names.filter((name) => !name.endsWith('?')),
  }
}

const INVALID: Failure = {
  code: 'BAD_REQUEST',
  httpStatus: 400,
  description: 'The input is not valid. Nothing was changed.',
  fields: {
    issues: {
      type: ['array', 'null'],
      description: 'What is wrong, and where; null when the request could not be parsed.',
      items: objectSchema({
        path: { type: 'array', items: { type: ['string', 'integer'] } },
        message: { type: 'string' },
      }),
    },
  },
  examples: {
    invalid: {
      message: 'The input is not valid.',
      fields: { issues: [{ path: ['amount'], message: 'Too small: expected number to be >=1' }] },
    },
  },
}
const FAULT: Failure = {
  code: 'INTERNAL_SERVER_ERROR',
  httpStatus: 500,
  description: 'An internal error, which the server has logged.',
  fields: {
    outcome: {
      enum: ['unknown', null],
      description:
        '`unknown` when the server lost its database connection during a COMMIT. Repeat the call with the same key to get its ' +
        'result.',
    },
  },
  examples: { fault: { message: 'An internal error occurred.', fields: {} } },
}

/** The responses that are the same for every procedure. */
export const SHARED_RESPONSES = { Invalid: response(INVALID), Fault: response(FAULT) }

/** The refusals of a procedure as responses, by status. */
export function refusalResponses(procedure: ProcedureDescription): Record<string, object> {
  return Object.fromEntries(
    refusalsByStatus(procedure).map((failure) => [failure.httpStatus, response(failure, procedure.path)] as const),
  )
}

/** The only response of a subscription that is not a stream: load shedding answers before the input is read. */
export function sheddingResponse(procedure: ProcedureDescription): Record<string, object> {
  return Object.fromEntries(
    refusalsByStatus(procedure)
      .filter(({ httpStatus }) => httpStatus === SERVICE_UNAVAILABLE)
      .map((failure) => [failure.httpStatus, response(failure)] as const),
  )
}

/** Every failure of a subscription, as the last event of its stream contains it. */
export function streamErrorSchema(procedure: ProcedureDescription): JsonSchema {
  const invalid = procedure.input ? [INVALID] : []
  return { oneOf: [...invalid, ...refusalsByStatus(procedure), FAULT].map(errorSchema) }
}

function refusalsByStatus({ refusals }: ProcedureDescription): Failure[] {
  const own = refusalDescriptions.filter(({ code }) => refusals.includes(code))
  const codes = new Map(own.map(({ httpStatus, status }) => [httpStatus, status]))
  return [...codes].map(([httpStatus, code]) => {
    const group = own.filter((refusal) => refusal.httpStatus === httpStatus)
    return { code, httpStatus, ...describeRefusals(group) }
  })
}

function describeRefusals(group: RefusalDescription[]): Omit<Failure, 'code' | 'httpStatus'> {
  const [first, ...others] = group.map(({ schemaName }) => ({ $ref: SCHEMA_REF + schemaName }))
  return {
    description: group.map(({ code, message }) => `\`${code}\`: ${message}`).join('\n\n'),
    fields: { refusal: first && others.length === 0 ? first : { oneOf: [first, ...others] } },
    examples: Object.fromEntries(
      group.map(({ code, message, example }) => [code, { message, fields: { refusal: example } }]),
    ),
  }
}
