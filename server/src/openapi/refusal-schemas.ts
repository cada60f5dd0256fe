import { TRPCError } from '@trpc/server'
import { getHTTPStatusCodeFromError } from '@trpc/server/http'
import { z } from 'zod'
import { orderStatus } from '../orders/order-schemas.ts'
import { BUSY_AFTER_MS, REFUSALS, Refusal, type RefusalCode, type RefusalDetails } from '../refusals.ts'
import { id, price } from '../rpc/schemas.ts'

type Fields<Details> = { [Name in keyof Details]-?: z.ZodType<Details[Name]> }

interface Told<Details> {
  fields: Fields<Details>
  example: Details
}

const points = z.int().min(0)
const count = z.int()
const afterMs = z.int().min(0).meta({ description: 'After how many milliseconds the same call may succeed.' })
const nothing = { fields: {}, example: {} }
const ofStatus = (status: z.output<typeof orderStatus>) => ({ fields: { status: orderStatus }, example: { status } })

/** What each refusal tells beside its code, and how that may look. */
const DETAILS: { [Code in RefusalCode]: Told<RefusalDetails[Code]> } = {
  token_missing: nothing,
  token_invalid: nothing,
  user_not_found: nothing,
  not_allowed: nothing,
  product_not_found: { fields: { productId: id }, example: { productId: 1 } },
  order_not_found: { fields: { orderId: id }, example: { orderId: 1 } },
  store_not_found: { fields: { storeId: id }, example: { storeId: 1 } },
  payment_not_found: { fields: { orderId: id }, example: { orderId: 1 } },
  points_insufficient: { fields: { required: price, balance: points }, example: { required: 2_600, balance: 1_000 } },
  points_limit_exceeded: {
    fields: { balance: points, limit: points },
    example: { balance: 995_000, limit: 1_000_000 },
  },
  stock_insufficient: {
    fields: { productId: id, requested: count, available: count.min(0) },
    example: { productId: 1, requested: 2, available: 1 },
  },
  price_changed: {
    fields: { productId: id, expected: price, actual: price },
    example: { productId: 1, expected: 1_200, actual: 1_300 },
  },
  order_not_payable: ofStatus('cancelled'),
  order_not_cancellable: ofStatus('paid'),
  order_not_refundable: ofStatus('pending'),
  name_taken: { fields: { name: z.string() }, example: { name: 'Ada' } },
  idempotency_key_reused: nothing,
  rate_limited: { fields: { afterMs }, example: { afterMs: 12_000 } },
  service_busy: { fields: { afterMs }, example: { afterMs: BUSY_AFTER_MS } },
}

/** A refusal as it is described: what it tells, under which status, and whether to call again. */
export interface RefusalDescription {
  code: RefusalCode
  /** Of its schema: `price_changed` is `PriceChanged`. */
  name: string
  status: number
  retry: 'never' | 'same-key'
  message: string
  /** The names of its details. */
  details: string[]
  /** The refusal as it travels in `error.data.refusal`. */
  schema: z.ZodType
  example: object
}

/** Every refusal. */
export const refusalDescriptions: RefusalDescription[] = (Object.keys(REFUSALS) as RefusalCode[]).map((code) => {
  const { fields, example } = DETAILS[code]
  const { message, status } = REFUSALS[code]
  // Only the code decides how a refusal is retried.
  const { retry } = new Refusal(code as 'token_missing').refusal
  return {
    code,
    name: nameOf(code),
    status: getHTTPStatusCodeFromError(new TRPCError({ code: status })),
    retry,
    message,
    details: Object.keys(fields),
    schema: z.object({ code: z.literal(code), retry: z.literal(retry), ...fields }).meta({ id: nameOf(code) }),
    example: { code, retry, ...example },
  }
})

function nameOf(code: RefusalCode): string {
  return code.replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase())
}
