import { CommitUnknownError, DatabaseBusyError, DeadlineExceededError, isTransient } from '@pointwise/db'
import { type TRPCDefaultErrorShape, TRPCError } from '@trpc/server'
import { ZodError } from 'zod'
import { deadlineExceeded, REFUSALS, Refusal, type RefusalCode, serviceBusy, type WireRefusal } from '../refusals.ts'
import type { Context } from './context.ts'
import type { Meta } from './meta.ts'

/*
 * A refusal becomes an HTTP response here: `translateRefusals` turns a thrown `Refusal` into a `RefusedError`, which has the
 * HTTP status, and `formatError` turns that into the response body.
 */

const ISSUES_MAX = 20
const ISSUE_LENGTH_MAX = 120

/** Why an input is invalid: where, and what is expected there. It never contains the value. */
export interface InputIssue {
  path: (string | number)[]
  message: string
}

type ErrorContext = Pick<Context, 'requestId'> | undefined

/** A refusal that its procedure declares, as tRPC's error. */
class RefusedError extends TRPCError {
  readonly refusal: WireRefusal

  constructor(cause: Refusal) {
    super({ code: REFUSALS[cause.refusal.code].status, message: cause.message, cause })
    this.refusal = cause.refusal
  }
}

/**
 * Runs a procedure and converts what it throws into tRPC's error. A database that is too busy becomes the refusal
 * `service_busy`, and a transaction that missed its deadline `deadline_exceeded`, because nothing was changed. A refusal that the procedure does not declare stays a fault.
 */
export async function translateRefusals<Result extends { ok: true } | { ok: false; error: TRPCError }>(
  meta: Meta | undefined,
  run: () => Promise<Result>,
): Promise<Result> {
  let cause: unknown
  try {
    const result = await run()
    if (result.ok) return result
    cause = result.error
  } catch (error) {
    cause = error
  }
  const refusal = toRefusal(cause instanceof TRPCError ? cause.cause : cause)
  throw refusal && meta?.[`refuses ${refusal.refusal.code}`] ? new RefusedError(refusal) : cause
}

function toRefusal(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error
  if (error instanceof DeadlineExceededError) return deadlineExceeded()
  return error instanceof DatabaseBusyError || isTransient(error) ? serviceBusy() : undefined
}

/** The codes with which an open stream may be refused. Every subscription declares them. */
const STREAM_REFUSALS: readonly RefusalCode[] = ['service_busy', 'not_resumable']

/**
 * Converts an error that reading a stream threw, which no middleware sees. An error that is not one of the refusals of an open
 * stream is returned unchanged.
 */
export function toStreamError(error: unknown): unknown {
  const refusal = toRefusal(error)
  return refusal && STREAM_REFUSALS.includes(refusal.refusal.code) ? new RefusedError(refusal) : error
}

interface ErrorToFormat {
  shape: TRPCDefaultErrorShape
  error: TRPCError
  ctx: ErrorContext
}

/** The response body of an error: of a refusal, of a fault, or of invalid input. */
export function formatError({ shape, error, ctx = requestIdByError.get(error) }: ErrorToFormat) {
  if (error instanceof RefusedError) {
    // Each procedure's own type lists its refusals. This type is for errors outside of procedures.
    return refusalShape(shape, ctx, error.refusal as WireRefusal<'service_busy'>)
  }
  if (error.code === 'INTERNAL_SERVER_ERROR' || error.cause instanceof Refusal) {
    return faultShape(shape, ctx, error.cause instanceof CommitUnknownError ? 'unknown' : null)
  }
  const issues = error.cause instanceof ZodError ? inputIssues(error.cause) : null
  // A message that has a cause may contain internals.
  const message = issues ? 'The input is not valid.' : error.cause ? 'The request could not be read.' : shape.message
  return { ...shape, message, data: { ...errorData(shape, ctx), refusal: null, issues, outcome: null } }
}

/** The response body of a refusal. */
export function refusalShape<R extends WireRefusal>(shape: TRPCDefaultErrorShape, ctx: ErrorContext, refusal: R) {
  return { ...shape, data: { ...errorData(shape, ctx), refusal, issues: null, outcome: null } }
}

function faultShape(shape: TRPCDefaultErrorShape, ctx: ErrorContext, outcome: 'unknown' | null) {
  const message = outcome
    ? 'The connection to the database was lost, and the outcome of this call is unknown.'
    : 'An internal error occurred.'
  const fault = { code: 'INTERNAL_SERVER_ERROR' as const, httpStatus: 500 }
  return { ...shape, message, data: { ...errorData(shape, ctx), ...fault, refusal: null, issues: null, outcome } }
}

/** The fields that every error has. They contain no stack trace. */
function errorData({ data }: TRPCDefaultErrorShape, ctx: ErrorContext) {
  const { code, httpStatus, path } = data
  return { code, httpStatus, ...(path !== undefined && { path }), requestId: ctx?.requestId ?? null }
}

/** The list is bounded, because zod reports every unrecognized key. */
function inputIssues({ issues }: ZodError): InputIssue[] {
  return issues.slice(0, ISSUES_MAX).map(({ path, message }) => ({
    path: path.map((part) => (typeof part === 'symbol' ? String(part) : part)),
    message: message.slice(0, ISSUE_LENGTH_MAX),
  }))
}

/** The requests that failed before their context was created, by their error. */
const requestIdByError = new WeakMap<TRPCError, ErrorContext>()

/** Stores the request id of an error that has no context, so that its response body contains the id. */
export function rememberRequestId(error: TRPCError, requestId: string): void {
  requestIdByError.set(error, { requestId })
}
