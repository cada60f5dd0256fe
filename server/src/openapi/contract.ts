import { procedureDescriptions } from './describe-procedures.ts'
import { type JsonSchema, translate } from './json-schema.ts'
import { refusalDescriptions } from './refusal-schemas.ts'

/** All that a client can rely on: what breaks it when it changes. Words for people are no part of it. */
export interface Contract {
  procedures: Record<string, Agreed>
  refusals: Record<string, { status: number; retry: string; details: JsonSchema }>
  /** The schemas that others refer to by name. */
  named: Record<string, JsonSchema>
}

interface Agreed {
  type: 'query' | 'mutation' | 'subscription'
  /** Null for a procedure that takes none. */
  input: JsonSchema | null
  mayOmitInput: boolean
  output: JsonSchema
  refusals: string[]
}

/** The contract of this server. */
export function createContract(): Contract {
  const named: Contract['named'] = {}
  const procedures = procedureDescriptions.map(({ path, type, input, output, refusals }) => {
    const asked = input && translate(input, 'input')
    const answered = output && translate(output, 'output')
    Object.assign(named, asked?.named, answered?.named)
    const agreed = {
      type,
      input: asked?.schema ?? null,
      mayOmitInput: asked?.isOptional ?? true,
      output: answered?.schema ?? {},
      refusals,
    }
    return [path, agreed]
  })
  const refusals = refusalDescriptions.map(({ code, schemaName, httpStatus, retry, schema }) => [
    code,
    { status: httpStatus, retry, details: translate(schema, 'output').named[schemaName] },
  ])
  return wordless({ procedures: Object.fromEntries(procedures), refusals: Object.fromEntries(refusals), named })
}

function wordless(contract: Contract): Contract {
  return JSON.parse(
    JSON.stringify(contract, (key, value) => (key === 'description' && isWords(value) ? undefined : value)),
  )
}

/** A field may be called `description`, too. */
function isWords(value: unknown): boolean {
  return typeof value === 'string'
}
