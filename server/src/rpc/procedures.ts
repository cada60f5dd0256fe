import { CommitUnknownError } from '@pointwise/db'
import { TRPCError } from '@trpc/server'
import { deadlineExceeded, Refusal, type RefusalCode, type WireRefusal } from '../refusals.ts'
import type { Context } from './context.ts'
import { refusalShape, translateRefusals } from './errors.ts'
import { withKeyOfHeader } from './idempotency-key-header.ts'
import { middleware, procedure } from './init.ts'
import type { Meta } from './meta.ts'

/** The codes that every mutation declares beside its own. */
export const MUTATION_REFUSALS = ['deadline_exceeded'] as const
/** The codes that every procedure may refuse with. */
export const PUBLIC_REFUSALS = ['rate_limited', 'service_busy'] as const
/** The codes that every procedure for admins may refuse with. */
export const ADMIN_REFUSALS = [...PUBLIC_REFUSALS, 'token_missing', 'token_invalid', 'not_allowed'] as const
/** The codes that every procedure for users may refuse with. */
export const USER_REFUSALS = [...ADMIN_REFUSALS, 'user_not_found'] as const

/**
 * Runs around every procedure. The header `Idempotency-Key` becomes a part of the input of a mutation. After a mutation that may
 * have taken effect, the middleware wakes the subscriptions of this process.
 */
const baseMiddleware = middleware(({ ctx, meta, type, getRawInput, next }) =>
  translateRefusals(meta, async () => {
    await ctx.consumeRateLimit({ network: true })
    if (type !== 'mutation') return next()
    requireTimeLeft(ctx)
    const { idempotencyKeyHeader: header } = ctx
    const result = await (header === undefined ? next() : next({ getRawInput: withKeyOfHeader(header, getRawInput) }))
    if (result.ok || result.error.cause instanceof CommitUnknownError) ctx.subscriptions.wake()
    return result
  }),
)

/** @throws Refusal deadline_exceeded; TRPCError BAD_REQUEST */
function requireTimeLeft({ deadline, malformedHeader }: Context): void {
  if (malformedHeader !== undefined) throw new TRPCError({ code: 'BAD_REQUEST', message: malformedHeader })
  if (deadline?.hasPassed) throw deadlineExceeded()
}

/** A procedure that needs no token. It may refuse with `codes` and with the codes of every procedure. */
export function publicProcedure<Code extends RefusalCode = never>(...codes: Code[]) {
  return procedureWithRefusals<(typeof PUBLIC_REFUSALS)[number] | Code>(...PUBLIC_REFUSALS, ...codes)
    .meta({ access: 'public' })
    .use(baseMiddleware)
}

/** A procedure for admins. An admin needs no row in `users`. */
export function adminProcedure<Code extends RefusalCode = never>(...codes: Code[]) {
  return procedureWithRefusals<(typeof ADMIN_REFUSALS)[number] | Code>(...ADMIN_REFUSALS, ...codes)
    .meta({ access: 'admin' })
    .use(baseMiddleware)
    .use(async ({ ctx, next }) => {
      const { admin } = await ctx.authenticate()
      if (!admin) throw new Refusal('not_allowed')
      return next()
    })
}

/**
 * A procedure for users. `ctx.tokenUserId` is the user id of the token; the user may not exist. Procedures that move points
 * check that in their transaction. All others add `.use(requireUser)`.
 */
export function userProcedure<Code extends RefusalCode = never>(...codes: Code[]) {
  return procedureWithRefusals<(typeof USER_REFUSALS)[number] | Code>(...USER_REFUSALS, ...codes)
    .meta({ access: 'user' })
    .use(baseMiddleware)
    .use(async ({ ctx, next }) => {
      const { userId } = await ctx.authenticate()
      if (userId === undefined) throw new Refusal('not_allowed')
      await ctx.consumeRateLimit({ userId })
      return next({ ctx: { tokenUserId: userId } })
    })
}

/**
 * Adds `ctx.userId`, the id of a user who exists. Use it after the input, so that invalid input causes no query.
 *
 * @throws Refusal user_not_found
 */
export const requireUser = middleware(async ({ ctx, next }) => {
  const { userId } = await ctx.authenticate()
  if (userId === undefined || !(await ctx.userExistenceCache.has(userId))) throw new Refusal('user_not_found')
  return next({ ctx: { userId } })
})

/**
 * Declares the codes that a procedure may refuse with. Declared codes are part of the client's types. A refusal with an
 * undeclared code is answered as a fault.
 */
function procedureWithRefusals<Code extends RefusalCode>(...codes: Code[]) {
  const meta: Meta = Object.fromEntries(codes.map((code) => [`refuses ${code}`, true]))
  return procedure.meta(meta) as ReturnType<typeof typedWithRefusals<Code>>
}

/**
 * Never called: it provides the type that `.errors()` gives a procedure. The run-time step of `.errors()` is not needed,
 * because `formatError` formats every refusal, and each step copies the call twice, which is most of a call's cost.
 */
const typedWithRefusals = <Code extends RefusalCode>() =>
  procedure.errors(({ shape, ctx }) => refusalShape(shape, ctx, {} as WireRefusal<Code>))
