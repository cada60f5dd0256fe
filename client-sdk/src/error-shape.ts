import type { TRPC_ERROR_CODE_KEY, TRPC_ERROR_CODE_NUMBER } from '@trpc/server'

/** What the server says when a call fails: `error.shape` of the error that the client throws. */
export interface ErrorShape<Refusal> {
  code: TRPC_ERROR_CODE_NUMBER
  /** Words for a person. They may change; a refusal's code does not. */
  message: string
  data: ErrorData<Refusal>
}

/** `error.data`: which of the three kinds of failure it was, and where. */
export interface ErrorData<Refusal> {
  code: TRPC_ERROR_CODE_KEY
  httpStatus: number
  /** The procedure; absent when none was reached. */
  path?: string
  /** Under this id the server's log knows the request. */
  requestId: string | null
  /** A rule of the shop said no; null for invalid input and for a fault of the server. */
  refusal: Refusal | null
  /** What was wrong with the input, and where; null unless the input was invalid. */
  issues: { path: (string | number)[]; message: string }[] | null
  /** 'unknown' when the server itself cannot tell whether the call took effect. */
  outcome: 'unknown' | null
}
