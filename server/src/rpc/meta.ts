import type { RefusalCode } from '../refusals.ts'

/** A call and its result. All examples belong to one scenario, in which each call follows from the earlier ones. */
export interface Example {
  input?: unknown
  output: unknown
}

/**
 * What a procedure declares about itself, for the API documents. tRPC merges the meta of composed procedures key by key, so
 * each refusal has a key of its own.
 */
export interface Meta extends Partial<Record<`refuses ${RefusalCode}`, true>> {
  access?: 'public' | 'user' | 'admin'
  description?: string
  example?: Example
}
