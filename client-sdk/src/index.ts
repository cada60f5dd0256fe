export { isTRPCClientError, safe, type TRPCClient, TRPCClientError } from '@trpc/client'
export type {
  AppRouter,
  Order,
  OrderChange,
  Payment,
  PointsChange,
  Product,
  RouterInputs,
  RouterOutputs,
  StockChange,
} from './app-router.ts'
export { createClient } from './client.ts'
export type { ClientOptions } from './client-options.ts'
export type { ErrorData, ErrorShape } from './error-shape.ts'
export { newIdempotencyKey } from './idempotency-key.ts'
export { OutcomeUnknownError } from './outcome-unknown-error.ts'
export { isDecisive, type Refusal, type RefusalCode, type RefusalOf, refusalOf } from './refusal.ts'
