import type { TRPC_ERROR_CODE_KEY, TRPC_ERROR_CODE_NUMBER } from '@trpc/server'

/** The error that the server sends for a failed call. The client exposes it as `error.shape`. */
export interface ErrorShape<Refusal> {
  code: TRPC_ERROR_CODE_NUMBER
  /** A text for people. It may change between releases; use the refusal's code in programs. */
  message: string
  data: ErrorData<Refusal>
}

/** `error.data`: the kind of the failure (refusal, invalid input or server fault) and its details. */
export interface ErrorData<Refusal> {
  code: TRPC_ERROR_CODE_KEY
  httpStatus: number
  /** The procedure; absent if the request reached none. */
  path?: string
  /** The id of the request in the server's log. */
  requestId: string | null
  /** The rule that the call violated; null for invalid input and for server faults. */
  refusal: Refusal | null
  /** The invalid parts of the input; null unless the input was invalid. */
  issues: { path: (string | number)[]; message: string }[] | null
  /** `'unknown'` if the server does not know whether the call took effect. */
  outcome: 'unknown' | null
}
