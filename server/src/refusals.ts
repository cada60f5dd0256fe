import type { OrderStatus } from '@pointwise/db'
import type { TRPC_ERROR_CODE_KEY } from '@trpc/server'

/** What each refusal tells beside its code. A code is permanent once released. */
export interface RefusalDetails {
  token_missing: object
  token_invalid: object
  user_not_found: object
  not_allowed: object
  product_not_found: { productId: number }
  order_not_found: { orderId: number }
  store_not_found: { storeId: number }
  payment_not_found: { orderId: number }
  points_insufficient: { required: number; balance: number }
  points_limit_exceeded: { balance: number; limit: number }
  stock_insufficient: { productId: number; requested: number; available: number }
  price_changed: { productId: number; expected: number; actual: number }
  order_not_payable: { status: OrderStatus }
  order_not_cancellable: { status: OrderStatus }
  order_not_refundable: { status: OrderStatus }
  name_taken: { name: string }
  idempotency_key_reused: object
  rate_limited: { afterMs: number }
  service_busy: { afterMs: number }
}

export type RefusalCode = keyof RefusalDetails

/** Refusals that pass by themselves: nothing happened, and the same call with the same key may succeed later. */
export type PassingRefusalCode = 'rate_limited' | 'service_busy'

/** A refusal as it travels in `error.data.refusal`. `retry` tells what helps. */
export type WireRefusal<Code extends RefusalCode = RefusalCode> = Code extends RefusalCode
  ? { code: Code; retry: Code extends PassingRefusalCode ? 'same-key' : 'never' } & RefusalDetails[Code]
  : never

/** How long a client should wait after `service_busy`. */
export const BUSY_AFTER_MS = 1_000

/** Every refusal with its status, by tRPC's name, and its words for a person, which may change; the code may not. */
export const REFUSALS = {
  token_missing: { status: 'UNAUTHORIZED', message: 'This call needs a token.' },
  token_invalid: { status: 'UNAUTHORIZED', message: 'The token is not valid.' },
  user_not_found: { status: 'UNAUTHORIZED', message: "The token's user does not exist." },
  not_allowed: { status: 'FORBIDDEN', message: 'The token does not allow this call.' },
  product_not_found: { status: 'NOT_FOUND', message: 'No such product.' },
  order_not_found: { status: 'NOT_FOUND', message: 'No such order.' },
  store_not_found: { status: 'NOT_FOUND', message: 'No such store.' },
  payment_not_found: { status: 'NOT_FOUND', message: 'No such payment.' },
  points_insufficient: { status: 'CONFLICT', message: 'Not enough points.' },
  points_limit_exceeded: { status: 'CONFLICT', message: 'The balance would pass its limit.' },
  stock_insufficient: { status: 'CONFLICT', message: 'Not enough in stock.' },
  price_changed: { status: 'CONFLICT', message: 'The price has changed.' },
  order_not_payable: { status: 'CONFLICT', message: 'The order cannot be paid.' },
  order_not_cancellable: { status: 'CONFLICT', message: 'The order cannot be cancelled.' },
  order_not_refundable: { status: 'CONFLICT', message: 'The order cannot be refunded.' },
  name_taken: { status: 'CONFLICT', message: 'The name is taken.' },
  idempotency_key_reused: {
    status: 'UNPROCESSABLE_CONTENT',
    message: 'The idempotency key was used for another call.',
  },
  rate_limited: { status: 'TOO_MANY_REQUESTS', message: 'Too many calls.' },
  service_busy: { status: 'SERVICE_UNAVAILABLE', message: 'The service is busy; nothing was changed.' },
} as const satisfies Record<RefusalCode, { status: TRPC_ERROR_CODE_KEY; message: string }>

/** A status is given only where a code means something else than usual. */
type Details<Code extends RefusalCode> = object extends RefusalDetails[Code]
  ? [details?: undefined, status?: TRPC_ERROR_CODE_KEY]
  : [details: RefusalDetails[Code]]

/** A rule said no. Thrown, because a throw is what rolls a transaction back. */
export class Refusal<Code extends RefusalCode = RefusalCode> extends Error {
  override readonly name = 'Refusal'
  /** What the client gets. */
  readonly refusal: WireRefusal<Code>
  readonly status: TRPC_ERROR_CODE_KEY

  constructor(code: Code, ...details: Details<Code>)
  constructor(code: Code, details?: object, status: TRPC_ERROR_CODE_KEY = REFUSALS[code].status) {
    super(REFUSALS[code].message)
    this.status = status
    const retry = code === 'rate_limited' || code === 'service_busy' ? 'same-key' : 'never'
    this.refusal = { code, retry, ...details } as WireRefusal<Code>
  }
}
