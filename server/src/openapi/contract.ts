import { procedureDescriptions } from './describe-procedures.ts'
import { type JsonSchema, translate } from './json-schema.ts'
import { refusalDescriptions } from './refusal-schemas.ts'

/** Everything that a client relies on, so that a change of it can break the client. It contains no descriptions. */
export interface Contract {
  procedures: Record<string, ProcedureContract>
  refusals: Record<string, { status: number; retry: string; details: JsonSchema }>
  /** The schemas that others refer to by name. */
  named: Record<string, JsonSchema>
}

interface ProcedureContract {
  type: 'query' | 'mutation' | 'subscription'
  /** Null for a procedure without input. */
  input: JsonSchema | null
  mayOmitInput: boolean
  output: JsonSchema
  refusals: string[]
}

/** Creates the contract of this server from its router and its refusals. */
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
  return withoutDescriptions({
    procedures: Object.fromEntries(procedures),
    refusals: Object.fromEntries(refusals),
    named,
  })
}

/** A `description` whose value is not a string is a field of that name. */
function withoutDescriptions(contract: Contract): Contract {
  return JSON.parse(
    JSON.stringify(contract, (key, value) => (key === 'description' && typeof value === 'string' ? undefined : value)),
  )
}
