import { eventDescriptions, headerSchema } from '../asyncapi/describe-events.ts'
import { procedureDescriptions } from './describe-procedures.ts'
import { type JsonSchema, translate } from './json-schema.ts'
import { refusalDescriptions } from './refusal-schemas.ts'

/**
 * Everything that a client or a consumer of events relies on, so that a change of it can break them. It contains no
 * descriptions and no examples.
 */
export interface Contract {
  procedures: Record<string, ProcedureContract>
  refusals: Record<string, { status: number; retry: string; details: JsonSchema }>
  /** The schemas that others refer to by name. */
  named: Record<string, JsonSchema>
  /** By type. The key is a template, such as `user:{userId}`. */
  events: Record<string, { key: string; payload: JsonSchema }>
  eventHeaders: JsonSchema
}

interface ProcedureContract {
  type: 'query' | 'mutation' | 'subscription'
  /** Null for a procedure without input. */
  input: JsonSchema | null
  mayOmitInput: boolean
  output: JsonSchema
  refusals: string[]
}

/** Creates the contract of this server from its router, its refusals and its events. */
export function createContract(): Contract {
  const named: Contract['named'] = {}
  const procedures = procedureDescriptions.map(({ path, type, refusals, ...schemas }) => {
    const input = schemas.input && translate(schemas.input, 'input')
    const output = schemas.output && translate(schemas.output, 'output')
    Object.assign(named, input?.named, output?.named)
    const contract: ProcedureContract = {
      type,
      input: input?.schema ?? null,
      mayOmitInput: input?.isOptional ?? true,
      output: output?.schema ?? {},
      refusals,
    }
    return [path, contract]
  })
  const refusals = refusalDescriptions.map(({ code, schemaName, httpStatus, retry, schema }) => [
    code,
    { status: httpStatus, retry, details: translate(schema, 'output').named[schemaName] },
  ])
  return withoutDocumentation({
    procedures: Object.fromEntries(procedures),
    refusals: Object.fromEntries(refusals),
    named,
    events: Object.fromEntries(eventDescriptions.map(({ type, key, payload }) => [type, { key, payload }])),
    eventHeaders: headerSchema,
  })
}

/** A keyword such as `description` has text or a list as its value. A field of that name has a schema. */
function withoutDocumentation(contract: Contract): Contract {
  const isDocumentation = (key: string, value: unknown) =>
    ((key === 'title' || key === 'description') && typeof value === 'string') ||
    (key === 'examples' && Array.isArray(value))
  return JSON.parse(JSON.stringify(contract, (key, value) => (isDocumentation(key, value) ? undefined : value)))
}
