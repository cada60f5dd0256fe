import { TRPCError } from '@trpc/server'
import { getHTTPStatusCodeFromError } from '@trpc/server/http'
import { z } from 'zod'
import { REFUSAL_CODES, REFUSALS, type RefusalCode, type RetryAdvice } from '../refusals.ts'

/** A refusal of the catalogue as API documents describe it. */
export interface RefusalDescription {
  code: RefusalCode
  /** The name of its schema: `PriceChanged` for `price_changed`. */
  schemaName: string
  /** The tRPC name of the HTTP status. */
  status: (typeof REFUSALS)[RefusalCode]['status']
  httpStatus: number
  retry: RetryAdvice
  message: string
  /** The names of its details. */
  details: string[]
  /** The refusal as it is sent in `error.data.refusal`. */
  schema: z.ZodType
  example: object
}

/** Every refusal, in the order of the catalogue. */
export const refusalDescriptions: RefusalDescription[] = REFUSAL_CODES.map((code) => {
  const { status, retry, message, details, example } = REFUSALS[code]
  const schemaName = code.replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase())
  return {
    code,
    schemaName,
    status,
    httpStatus: getHTTPStatusCodeFromError(new TRPCError({ code: status })),
    retry,
    message,
    details: Object.keys(details),
    schema: z.object({ code: z.literal(code), retry: z.literal(retry), ...details }).meta({ id: schemaName }),
    example: { code, retry, ...example },
  }
})
