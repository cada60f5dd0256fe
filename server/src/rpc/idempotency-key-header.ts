import { TRPCError } from '@trpc/server'
import { z } from 'zod'

type GetRawInput = () => Promise<unknown>

/**
 * Adds the key of the header `Idempotency-Key` to the input of a mutation, as its field `idempotencyKey`. The header contains
 * a UUID, with or without double quotes. The schema of the input validates the key, and rejects it where the mutation has no
 * such field: a header that is ignored would let a client repeat a call that then has two effects.
 *
 * @throws TRPCError BAD_REQUEST, when the input is read, if the input contains another key
 */
export function withKeyOfHeader(header: string, getRawInput: GetRawInput): GetRawInput {
  const key = header.replace(/^"(.*)"$/, '$1')
  return async () => {
    const input = await getRawInput()
    if (typeof input !== 'object' || input === null || Array.isArray(input)) return input
    const { idempotencyKey: own } = input as { idempotencyKey?: unknown }
    if (own === undefined) return { ...input, idempotencyKey: key }
    if (typeof own === 'string' && own.toLowerCase() !== key.toLowerCase()) throw differentKeys()
    return input
  }
}

function differentKeys(): TRPCError {
  const message = 'must be equal to the header Idempotency-Key, or one of the two must be omitted'
  const issue = { code: 'custom' as const, path: ['idempotencyKey'], message, input: undefined }
  return new TRPCError({ code: 'BAD_REQUEST', cause: new z.ZodRealError([issue]) })
}
