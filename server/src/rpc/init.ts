import { CommitUnknownError, DatabaseBusyError, isTransient } from '@pointwise/db'
import { initTRPC, type TRPCDefaultErrorShape, TRPCError } from '@trpc/server'
import { ZodError } from 'zod'
import { REFUSALS, Refusal, type RefusalCode, serviceBusy, type WireRefusal } from '../refusals.ts'
import type { Context } from './context.ts'
import { transformer } from './transformer.ts'

const ISSUES_MAX = 20
/** How often a stream on which nothing happens says that it is alive. */
export const PING_MS = 15_000
/** What a stream tells its client first: after how much silence to come back. */
export const STREAM_CLIENT = { reconnectAfterInactivityMs: 40_000 }
const ISSUE_LENGTH_MAX = 120

/** Why an input was invalid: where, and what was expected there; never the value. */
export interface InputIssue {
  path: (string | number)[]
  message: string
}

/** A call and its answer, both true in the shop of all examples: each follows from those before it. */
export interface Example {
  input?: unknown
  output: unknown
}

/**
 * What a procedure says of itself, for the description of the API. Where procedures are put together, tRPC puts this
 * together key by key: hence a key of its own for each refusal.
 */
export interface Meta extends Partial<Record<`refuses ${RefusalCode}`, true>> {
  who?: 'everybody' | 'user' | 'admin'
  description?: string
  example?: Example
}

const t = initTRPC
  .context<Context>()
  .meta<Meta>()
  .create({
    transformer,
    isDev: false,
    sse: { ping: { enabled: true, intervalMs: PING_MS }, client: STREAM_CLIENT },
    errorFormatter: ({ shape, error, ctx = requestIdByError.get(error) }) => {
      if (error instanceof RefusedError) {
        // What a procedure may refuse is part of its own type; this is of what has none.
        return refusalShape(shape, ctx, error.refusal as WireRefusal<'service_busy'>)
      }
      if (error.code === 'INTERNAL_SERVER_ERROR' || error.cause instanceof Refusal) {
        const outcome = error.cause instanceof CommitUnknownError ? ('unknown' as const) : null
        const message = outcome ? 'Whether this call took effect is not known.' : 'Something went wrong on our side.'
        const fault = { code: 'INTERNAL_SERVER_ERROR' as const, httpStatus: 500 }
        return { ...shape, message, data: { ...errorData(shape, ctx), ...fault, refusal: null, issues: null, outcome } }
      }
      const issues = error.cause instanceof ZodError ? inputIssues(error.cause) : null
      // A message that comes with a cause was not written for the client.
      const message = issues
        ? 'The input is not valid.'
        : error.cause
          ? 'The request could not be read.'
          : shape.message
      return { ...shape, message, data: { ...errorData(shape, ctx), refusal: null, issues, outcome: null } }
    },
  })

export const { router, createCallerFactory, middleware } = t

/** The requests that failed before they had a context, by their error. */
const requestIdByError = new WeakMap<TRPCError, ErrorContext>()

/** Tells of which request an error is that has no context to tell it. */
export function rememberRequestId(error: TRPCError, requestId: string): void {
  requestIdByError.set(error, { requestId })
}

/** For answers in our shape where no procedure was reached. */
export const trpcConfig = t._config

/**
 * Begins a procedure, and declares all that it may refuse. What is declared reaches the client, typed; a refusal that
 * was not declared is a fault of ours.
 */
export function procedureWithRefusals<Code extends RefusalCode>(...codes: Code[]) {
  const meta: Meta = Object.fromEntries(codes.map((code) => [`refuses ${code}`, true]))
  return t.procedure.meta(meta) as ReturnType<typeof typedAsRefusing<Code>>
}

/**
 * Never called: the type that `.errors()` gives a procedure. Its step at run time is not needed, for all refusals have one
 * shape, which the root's formatter knows; and each step copies the call twice, which is what a call mostly costs.
 */
const typedAsRefusing = <Code extends RefusalCode>() =>
  t.procedure.errors(({ shape, ctx }) => refusalShape(shape, ctx, {} as WireRefusal<Code>))

/**
 * The one place where a refusal becomes tRPC's error: around all that a procedure does. A database that had no time for
 * us is a refusal as well, because nothing happened.
 */
export async function translateRefusals<Result extends { ok: true } | { ok: false; error: TRPCError }>(
  meta: Meta | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  let cause: unknown
  try {
    const result = await work()
    if (result.ok) return result
    cause = result.error
  } catch (error) {
    cause = error
  }
  const refusal = refusalFor(cause instanceof TRPCError ? cause.cause : cause)
  throw refusal && meta?.[`refuses ${refusal.refusal.code}`] ? new RefusedError(refusal) : cause
}

function refusalFor(cause: unknown): Refusal | undefined {
  if (cause instanceof Refusal) return cause
  const isBusy = cause instanceof DatabaseBusyError || isTransient(cause)
  return isBusy ? serviceBusy() : undefined
}

class RefusedError extends TRPCError {
  readonly refusal: WireRefusal

  constructor(refusal: Refusal) {
    super({ code: REFUSALS[refusal.refusal.code].status, message: refusal.message, cause: refusal })
    this.refusal = refusal.refusal
  }
}

/** What reading a stream threw, past the middleware, as tRPC's error: it refuses to go on for one reason alone. */
export function streamError(error: unknown): unknown {
  const refusal = refusalFor(error)
  return refusal?.refusal.code === 'service_busy' ? new RefusedError(refusal) : error
}

/** How a refusal travels. */
export function refusalShape<R extends WireRefusal>(shape: TRPCDefaultErrorShape, ctx: ErrorContext, refusal: R) {
  return { ...shape, data: { ...errorData(shape, ctx), refusal, issues: null, outcome: null } }
}

type ErrorContext = Pick<Context, 'requestId'> | undefined

/** What every error tells: code, status, procedure, and the request under which our log knows it. No stack. */
function errorData({ data }: TRPCDefaultErrorShape, ctx: ErrorContext) {
  const { code, httpStatus, path } = data
  return { code, httpStatus, ...(path !== undefined && { path }), requestId: ctx?.requestId ?? null }
}

/** Bounded, because zod names every key that is too much. */
function inputIssues({ issues }: ZodError): InputIssue[] {
  return issues.slice(0, ISSUES_MAX).map(({ path, message }) => ({
    path: path.map((part) => (typeof part === 'symbol' ? String(part) : part)),
    message: message.slice(0, ISSUE_LENGTH_MAX),
  }))
}
