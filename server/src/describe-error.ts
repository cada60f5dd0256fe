import { errorMessage } from '@pointwise/db'
import { ConfigError } from './config.ts'

/** The message of an error that ends a process, with the messages of its causes. A `ConfigError` is complete in itself. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error instanceof ConfigError) return `Invalid configuration: ${error.message}`
  const message = errorMessage(error)
  return error.cause instanceof Error ? `${message} Cause: ${describeError(error.cause)}` : message
}
