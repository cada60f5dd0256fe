import { TRPC_ERROR_CODES_BY_KEY } from '@trpc/server/rpc'
import { REFUSALS } from '../refusals.ts'
import type { ProcedureDescription } from './describe-procedures.ts'
import { type JsonSchema, NAMED } from './json-schema.ts'
import { type RefusalDescription, refusalDescriptions } from './refusal-schemas.ts'

const REQUEST_ID = '6f1a2f0e-4c1b-4f5e-9d0a-2f3b4c5d6e7f'
const NULL = { const: null }
const TURNED_AWAY = 503
const HEADERS = {
  'Retry-After': { description: 'After how many seconds the same call may succeed.', schema: { type: 'integer' } },
}

type Code = keyof typeof TRPC_ERROR_CODES_BY_KEY

/** One of the three kinds of failure, and how it may look; what is not told here is null. */
interface Failure {
  code: Code
  httpStatus: number
  description: string
  told: { refusal?: JsonSchema; issues?: JsonSchema; outcome?: JsonSchema }
  examples: Record<string, { message: string; told: object }>
}

/** What `response` says of a failure, at the place where every answer of an operation is told. */
function response({ code, httpStatus, description, told, examples }: Failure, path?: string) {
  const examined = Object.entries(examples).map(([name, { message, told: details }]) => {
    const data = { code, httpStatus, ...(path && { path }), requestId: REQUEST_ID, ...NOTHING, ...details }
    return [name, { value: { error: { json: { message, code: TRPC_ERROR_CODES_BY_KEY[code], data } } } }]
  })
  return {
    description,
    ...((httpStatus === 429 || httpStatus === 503) && { headers: HEADERS }),
    content: {
      'application/json': {
        schema: object({ error: errorOf({ code, httpStatus, told }) }),
        examples: Object.fromEntries(examined),
      },
    },
  }
}

const NOTHING = { refusal: null, issues: null, outcome: null }

function errorOf({ code, httpStatus, told }: Pick<Failure, 'code' | 'httpStatus' | 'told'>): JsonSchema {
  const { refusal = NULL, issues = NULL, outcome = NULL } = told
  const data = object({
    code: { const: code },
    httpStatus: { const: httpStatus },
    'path?': { type: 'string', description: 'The procedure; absent when none was reached.' },
    requestId: { type: ['string', 'null'], description: 'Under this id our log knows the request.' },
    refusal,
    issues,
    outcome,
  })
  const message = { type: 'string', description: 'Words for a person. They may change; a code does not.' }
  return object({ json: object({ message, code: { type: 'integer' }, data }) })
}

/** An object of these fields; one whose name ends in a question mark may be absent. */
export function object(fields: Record<string, JsonSchema>): JsonSchema {
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
  description: 'The input is not valid. Nothing was done.',
  told: {
    issues: {
      type: ['array', 'null'],
      description: 'What was wrong, and where; null when the request could not be read at all.',
      items: object({
        path: { type: 'array', items: { type: ['string', 'integer'] } },
        message: { type: 'string' },
      }),
    },
  },
  examples: {
    invalid: {
      message: 'The input is not valid.',
      told: { issues: [{ path: ['amount'], message: 'Too small: expected number to be >=1' }] },
    },
  },
}
const FAULT: Failure = {
  code: 'INTERNAL_SERVER_ERROR',
  httpStatus: 500,
  description: 'A fault of ours, which we logged.',
  told: {
    outcome: {
      enum: ['unknown', null],
      description: '`unknown` when the answer of a COMMIT was lost: the same call with the same key finds out.',
    },
  },
  examples: { fault: { message: 'Something went wrong on our side.', told: {} } },
}

/** The answers that do not depend on the procedure. */
export const SHARED_RESPONSES = { Invalid: response(INVALID), Fault: response(FAULT) }

/** The refusals of a procedure, as its answers by status. */
export function refusalResponses(procedure: ProcedureDescription): Record<string, object> {
  const { path } = procedure
  return Object.fromEntries(
    refusalsOf(procedure).map((failure) => [failure.httpStatus, response(failure, path)] as const),
  )
}

/** The one answer of a subscription that is no stream: it is turned away before anybody looks at what it asks. */
export function shedResponse(procedure: ProcedureDescription): Record<string, object> {
  const early = refusalsOf(procedure).filter(({ httpStatus }) => httpStatus === TURNED_AWAY)
  return Object.fromEntries(early.map((failure) => [failure.httpStatus, response(failure)] as const))
}

/** Every failure of a subscription, as the last event of its stream tells it: under the status that it would have had. */
export function errorsOfStream(procedure: ProcedureDescription): JsonSchema {
  const invalid = procedure.input ? [INVALID] : []
  return { oneOf: [...invalid, ...refusalsOf(procedure), FAULT].map(errorOf) }
}

function refusalsOf({ refusals }: ProcedureDescription): Failure[] {
  const byStatus = Map.groupBy(
    refusalDescriptions.filter(({ code }) => refusals.includes(code)),
    ({ code }) => REFUSALS[code].status,
  )
  return [...byStatus].map(([status, group]) => refused(group, status))
}

function refused(group: RefusalDescription[], code: Code): Failure {
  const [only, ...others] = group.map(({ schemaName }) => ({ $ref: NAMED + schemaName }))
  return {
    code,
    httpStatus: group[0]?.httpStatus ?? 400,
    description: group.map(({ code, message }) => `\`${code}\`: ${message}`).join('\n\n'),
    told: { refusal: only && others.length === 0 ? only : { oneOf: [only, ...others] } },
    examples: Object.fromEntries(
      group.map(({ code, message, example }) => [code, { message, told: { refusal: example } }]),
    ),
  }
}
