import type { AnyTRPCProcedure } from '@trpc/server'
import { z } from 'zod'
import { REFUSAL_CODES, type RefusalCode } from '../refusals.ts'
import { appRouter } from '../router.ts'
import type { Meta } from '../rpc/meta.ts'

/** A procedure with everything that it declares about itself. */
export interface ProcedureDescription {
  /** `orders.place` */
  path: string
  type: 'query' | 'mutation' | 'subscription'
  meta: Meta
  /** In the order of the catalogue. */
  refusals: RefusalCode[]
  input: z.ZodType | undefined
  /** For a subscription, the schema of each change. */
  output: z.ZodType | undefined
}

/** The run-time definition of a procedure. tRPC's own types omit `inputs` and `output`. */
type ProcedureDefinition = Pick<AnyTRPCProcedure['_def'], 'type' | 'meta'> & { inputs: unknown[]; output?: unknown }

const procedures = appRouter._def.procedures as unknown as Record<string, { _def: ProcedureDefinition }>

/** Every procedure, in the order of the router. */
export const procedureDescriptions: ProcedureDescription[] = Object.entries(procedures).map(([path, { _def }]) => {
  const meta: Meta = _def.meta ?? {}
  if (_def.inputs.length > 1) {
    throw new Error(`${path} calls .input() more than once, which the API document cannot describe. Use one schema.`)
  }
  return {
    path,
    type: _def.type,
    meta,
    refusals: REFUSAL_CODES.filter((code) => meta[`refuses ${code}`]),
    input: zodSchema(_def.inputs[0]),
    output: zodSchema(_def.type === 'subscription' ? changesOf(_def.output) : _def.output),
  }
})

/** The output of a subscription is an async iterable. Its meta contains the schema of the changes. */
function changesOf(output: unknown): unknown {
  return zodSchema(output)?.meta()?.changes
}

function zodSchema(parser: unknown): z.ZodType | undefined {
  return parser instanceof z.ZodType ? parser : undefined
}
