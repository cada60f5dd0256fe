import type { AnyTRPCProcedure, inferProcedureInput, inferProcedureOutput } from '@trpc/server'
import type { AppRouter } from './app-router.ts'

type ProceduresIn<Record, Prefix extends string = ''> = {
  [Name in keyof Record & string]: Record[Name] extends AnyTRPCProcedure
    ? { path: `${Prefix}${Name}`; procedure: Record[Name] }
    : ProceduresIn<Record[Name], `${Prefix}${Name}.`>
}[keyof Record & string]

type DedupedBy<Procedure extends AnyTRPCProcedure> = 'idempotencyKey' extends keyof inferProcedureInput<Procedure>
  ? 'key'
  : inferProcedureOutput<Procedure> extends { replayed: boolean }
    ? 'order'
    : never

type RetryableMutations = {
  [Entry in ProceduresIn<AppRouter['_def']['record']> as DedupedBy<Entry['procedure']> extends never
    ? never
    : Entry['path']]: DedupedBy<Entry['procedure']>
}

/**
 * The mutations that can be sent again without taking effect twice, and how the server recognizes a repetition: by its
 * idempotency key, or by the order in its input. The type ensures that the table is complete.
 */
const RETRYABLE_MUTATIONS: RetryableMutations = {
  'orders.checkout': 'key',
  'orders.place': 'key',
  'payments.pay': 'order',
  'payments.refund': 'order',
  'points.charge': 'key',
  'products.restock': 'key',
}

const dedupedByPath: ReadonlyMap<string, 'key' | 'order'> = new Map(Object.entries(RETRYABLE_MUTATIONS))

/** Whether the mutation at this path accepts an idempotency key. */
export function takesIdempotencyKey(path: string): boolean {
  return dedupedByPath.get(path) === 'key'
}

/** Whether the mutation at this path, sent with this key, can be sent again without taking effect twice. */
export function isRetryable(path: string, idempotencyKey: string | undefined): boolean {
  const dedupedBy = dedupedByPath.get(path)
  return dedupedBy === 'order' || (dedupedBy === 'key' && idempotencyKey !== undefined)
}

/**
 * Identifies a mutation by what the server recognizes its repetitions by. Undefined for queries, and for a mutation that could take
 * effect twice.
 */
export function repeatableCall({ path, input }: { path: string; input: unknown }): string | undefined {
  const dedupedBy = dedupedByPath.get(path)
  const { idempotencyKey, orderId } = (input ?? {}) as { idempotencyKey?: unknown; orderId?: unknown }
  if (dedupedBy === 'key' && typeof idempotencyKey === 'string') return `${path} ${idempotencyKey.toLowerCase()}`
  return dedupedBy === 'order' ? `${path} ${String(orderId)}` : undefined
}
