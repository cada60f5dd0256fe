import type { AnyTRPCProcedure } from '@trpc/server'
import { z } from 'zod'
import { REFUSAL_CODES, type RefusalCode } from '../refusals.ts'
import { appRouter } from '../router.ts'
import type { Meta } from '../rpc/meta.ts'

/** A procedure, with all that it says of itself. */
export interface ProcedureDescription {
  /** `orders.place` */
  path: string
  type: 'query' | 'mutation' | 'subscription'
  meta: Meta
  /** In the order of all refusals. */
  refusals: RefusalCode[]
  input: z.ZodType | undefined
  /** Of a subscription, what each of its events tells. */
  output: z.ZodType | undefined
}

/** What tRPC keeps of a procedure at run time; its types tell of the first two alone. */
type Kept = Pick<AnyTRPCProcedure['_def'], 'type' | 'meta'> & { inputs: unknown[]; output?: unknown }

const procedures = appRouter._def.procedures as unknown as Record<string, { _def: Kept }>

/** Every procedure of the router, in its order. */
export const procedureDescriptions: ProcedureDescription[] = Object.entries(procedures).map(([path, { _def }]) => {
  const meta: Meta = _def.meta ?? {}
  if (_def.inputs.length > 1) throw new Error(`${path} puts its input together, which cannot be described.`)
  return {
    path,
    type: _def.type,
    meta,
    refusals: REFUSAL_CODES.filter((code) => meta[`refuses ${code}`]),
    input: schema(_def.inputs[0]),
    output: schema(_def.type === 'subscription' ? changesOf(_def.output) : _def.output),
  }
})

/** A subscription's output is something to iterate over, which names in its meta what comes. */
function changesOf(output: unknown): unknown {
  return schema(output)?.meta()?.changes
}

function schema(parser: unknown): z.ZodType | undefined {
  return parser instanceof z.ZodType ? parser : undefined
}
