import type { AnyTRPCProcedure, inferProcedureInput, inferProcedureOutput } from '@trpc/server'
import type { AppRouter } from './app-router.ts'

type CallsIn<Procedures, Prefix extends string = ''> = {
  [Name in keyof Procedures & string]: Procedures[Name] extends AnyTRPCProcedure
    ? { path: `${Prefix}${Name}`; procedure: Procedures[Name] }
    : CallsIn<Procedures[Name], `${Prefix}${Name}.`>
}[keyof Procedures & string]

type DedupedBy<Procedure extends AnyTRPCProcedure> = 'idempotencyKey' extends keyof inferProcedureInput<Procedure>
  ? 'key'
  : inferProcedureOutput<Procedure> extends { replayed: boolean }
    ? 'order'
    : never

type Repeatable = {
  [Call in CallsIn<AppRouter['_def']['record']> as DedupedBy<Call['procedure']> extends never
    ? never
    : Call['path']]: DedupedBy<Call['procedure']>
}

/**
 * The mutations that may be sent again without happening twice, and by what the server knows a repeat: by the
 * idempotency key they take, or by the order they settle. The compiler holds this table against the router.
 */
const REPEATABLE: Repeatable = {
  'orders.checkout': 'key',
  'orders.place': 'key',
  'payments.pay': 'order',
  'payments.refund': 'order',
  'points.charge': 'key',
  'products.restock': 'key',
}

const byPath: ReadonlyMap<string, 'key' | 'order'> = new Map(Object.entries(REPEATABLE))

/** Whether the mutation at this path takes an idempotency key. */
export function takesKey(path: string): boolean {
  return byPath.get(path) === 'key'
}

/** Whether the server knows a repeat of the mutation at this path, given the key it was sent with. */
export function isRepeatable(path: string, idempotencyKey: string | undefined): boolean {
  const by = byPath.get(path)
  return by === 'order' || (by === 'key' && idempotencyKey !== undefined)
}
