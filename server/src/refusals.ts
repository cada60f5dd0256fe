import { z } from 'zod'
import { id, orderStatus, price } from './rpc/schemas.ts'

/**
 * `never`: the same call is refused again until something else changes. `same-key`: nothing was changed, and the same call with
 * the same idempotency key may succeed later.
 */
export type RetryAdvice = 'never' | 'same-key'

/** What the server declares about a refusal code. A code is permanent once it is released. */
interface Entry<Status extends string, Retry extends RetryAdvice, Details extends z.ZodRawShape> {
  /** The tRPC name of the HTTP status. */
  status: Status
  retry: Retry
  /**
   * Whether the server checks for earlier attempts of the same call before it refuses with this code. If it does, the client
   * knows the outcome of those attempts.
   */
  isDecisive: boolean
  /** A text for people. It may change; the code does not. */
  message: string
  /** The fields that the refusal has beside `code` and `retry`. */
  details: Details
  example: DetailsOf<Details>
}

type DetailsOf<Shape extends z.ZodRawShape> = { [Name in keyof Shape]: z.output<Shape[Name]> }

/** Returns the entry unchanged, and checks that its example has the types of its details. */
const define = <Status extends string, Retry extends RetryAdvice, const Details extends z.ZodRawShape>(
  entry: Entry<Status, Retry, Details>,
) => entry

const wholeNumber = z.int().min(0)
const afterMs = z.int().min(0).meta({ description: 'Milliseconds after which the same call may succeed.' })

/** How long a client should wait after `service_busy`. */
export const BUSY_AFTER_MS = 1_000

/**
 * The catalogue of all refusals. The types below, the OpenAPI document, docs/api.md and the SDK's list of decisive codes
 * derive from it. After a change, run `npm run docs`.
 */
export const REFUSALS = {
  token_missing: define({
    status: 'UNAUTHORIZED',
    retry: 'never',
    isDecisive: false,
    message: 'This procedure requires an access token. Send one in the Authorization header.',
    details: {},
    example: {},
  }),
  token_invalid: define({
    status: 'UNAUTHORIZED',
    retry: 'never',
    isDecisive: false,
    message: 'The access token is invalid or has expired. Sign in again to obtain a new one.',
    details: {},
    example: {},
  }),
  // The user of the token. A user that is named in an input is `user_unknown`.
  user_not_found: define({
    status: 'UNAUTHORIZED',
    retry: 'never',
    isDecisive: false,
    message: 'The user of the access token does not exist. Sign in as an existing user.',
    details: {},
    example: {},
  }),
  not_allowed: define({
    status: 'FORBIDDEN',
    retry: 'never',
    isDecisive: false,
    message: 'The access token does not permit this procedure. Use a token with the required role.',
    details: {},
    example: {},
  }),
  product_not_found: define({
    status: 'NOT_FOUND',
    retry: 'never',
    isDecisive: true,
    message: 'There is no product with this id. It may have been removed.',
    details: { productId: id },
    example: { productId: 1 },
  }),
  order_not_found: define({
    status: 'NOT_FOUND',
    retry: 'never',
    isDecisive: true,
    message: 'There is no order with this id.',
    details: { orderId: id },
    example: { orderId: 1 },
  }),
  store_not_found: define({
    status: 'NOT_FOUND',
    retry: 'never',
    isDecisive: true,
    message: 'There is no store with this id.',
    details: { storeId: id },
    example: { storeId: 1 },
  }),
  payment_not_found: define({
    status: 'NOT_FOUND',
    retry: 'never',
    isDecisive: true,
    message: 'The order has not been paid.',
    details: { orderId: id },
    example: { orderId: 1 },
  }),
  user_unknown: define({
    status: 'NOT_FOUND',
    retry: 'never',
    isDecisive: true,
    message: 'There is no user with this id. The user may have been removed.',
    details: { userId: id },
    example: { userId: 1 },
  }),
  points_insufficient: define({
    status: 'CONFLICT',
    retry: 'never',
    isDecisive: true,
    message: 'The wallet does not hold enough points for this order. Top up the wallet and try again.',
    details: { required: price, balance: wholeNumber },
    example: { required: 2_600, balance: 1_000 },
  }),
  points_limit_exceeded: define({
    status: 'CONFLICT',
    retry: 'never',
    isDecisive: true,
    message: 'The wallet cannot hold this many points. Spend points first or use a smaller amount.',
    details: { balance: wholeNumber, limit: wholeNumber },
    example: { balance: 995_000, limit: 1_000_000 },
  }),
  stock_insufficient: define({
    status: 'CONFLICT',
    retry: 'never',
    isDecisive: true,
    message: 'The product does not have enough stock. Use a quantity that is at most the available stock.',
    details: { productId: id, requested: z.int(), available: wholeNumber },
    example: { productId: 1, requested: 2, available: 1 },
  }),
  price_changed: define({
    status: 'CONFLICT',
    retry: 'never',
    isDecisive: true,
    message: 'The price of a product has changed. Confirm the new price and order again.',
    details: { productId: id, expected: price, actual: price },
    example: { productId: 1, expected: 1_200, actual: 1_300 },
  }),
  order_not_payable: define({
    status: 'CONFLICT',
    retry: 'never',
    isDecisive: true,
    message: 'The order cannot be paid. Only a pending order can be paid.',
    details: { status: orderStatus },
    example: { status: 'cancelled' },
  }),
  order_not_cancellable: define({
    status: 'CONFLICT',
    retry: 'never',
    isDecisive: true,
    message: 'The order cannot be cancelled. Only a pending order can be cancelled.',
    details: { status: orderStatus },
    example: { status: 'paid' },
  }),
  order_not_refundable: define({
    status: 'CONFLICT',
    retry: 'never',
    isDecisive: true,
    message: 'The order cannot be refunded. Only a paid order can be refunded.',
    details: { status: orderStatus },
    example: { status: 'pending' },
  }),
  // The name may have been taken by an earlier attempt of the same call.
  name_taken: define({
    status: 'CONFLICT',
    retry: 'never',
    isDecisive: false,
    message: 'The name is already in use. Choose another name.',
    details: { name: z.string() },
    example: { name: 'Ada' },
  }),
  idempotency_key_reused: define({
    status: 'UNPROCESSABLE_CONTENT',
    retry: 'never',
    isDecisive: true,
    message: 'The idempotency key was already used for a different call. Use a new key for a new call.',
    details: {},
    example: {},
  }),
  not_resumable: define({
    status: 'CONFLICT',
    retry: 'never',
    isDecisive: false,
    message:
      'The changes after lastEventId are no longer available. Read the current state, then subscribe without lastEventId.',
    details: {},
    example: {},
  }),
  rate_limited: define({
    status: 'TOO_MANY_REQUESTS',
    retry: 'same-key',
    isDecisive: false,
    message: 'Too many requests. Wait before you send the next one.',
    details: { afterMs },
    example: { afterMs: 12_000 },
  }),
  service_busy: define({
    status: 'SERVICE_UNAVAILABLE',
    retry: 'same-key',
    isDecisive: false,
    message: 'The service is busy, and nothing was changed. Wait and send the same request again.',
    details: { afterMs },
    example: { afterMs: BUSY_AFTER_MS },
  }),
  deadline_exceeded: define({
    status: 'GATEWAY_TIMEOUT',
    retry: 'same-key',
    isDecisive: false,
    message:
      'The deadline of the request has passed, and nothing was changed. Send the same request with a later deadline.',
    details: { afterMs },
    example: { afterMs: 0 },
  }),
}

type Catalogue = typeof REFUSALS

export type RefusalCode = keyof Catalogue

/** The codes of all refusals, in the order of the catalogue. */
export const REFUSAL_CODES = Object.keys(REFUSALS) as RefusalCode[]

/** The fields of each refusal beside `code` and `retry`. */
export type RefusalDetails = { [Code in RefusalCode]: DetailsOf<Catalogue[Code]['details']> }

/** A refusal as it is sent in `error.data.refusal`. */
export type WireRefusal<Code extends RefusalCode = RefusalCode> = Code extends RefusalCode
  ? { code: Code; retry: Catalogue[Code]['retry'] } & RefusalDetails[Code]
  : never

type DetailsArgument<Code extends RefusalCode> = object extends RefusalDetails[Code]
  ? [details?: undefined]
  : [details: RefusalDetails[Code]]

/**
 * A business rule rejects a call. A service throws it, and the throw rolls the transaction back. In a batch of
 * payments, `decide` turns it into the decision of one request.
 */
export class Refusal<Code extends RefusalCode = RefusalCode> extends Error {
  override readonly name = 'Refusal'
  /** What the client receives. */
  readonly refusal: WireRefusal<Code>

  constructor(code: Code, ...details: DetailsArgument<Code>)
  constructor(code: Code, details?: object) {
    super(REFUSALS[code].message)
    this.refusal = { code, retry: REFUSALS[code].retry, ...details } as WireRefusal<Code>
  }
}

/** The refusal for a call that the server had no time or no database connection for. Nothing was changed. */
export const serviceBusy = () => new Refusal('service_busy', { afterMs: BUSY_AFTER_MS })

/** The refusal for a mutation whose deadline passed before it had an effect. Nothing was changed. */
export const deadlineExceeded = () => new Refusal('deadline_exceeded', { afterMs: 0 })
