import { Refusal, type RefusalCode } from '../refusals.ts'
import { middleware, procedureWithRefusals, translateRefusals } from './init.ts'

const EVERYBODY = ['rate_limited', 'service_busy'] as const
const ADMINS = [...EVERYBODY, 'token_missing', 'token_invalid', 'not_allowed'] as const
const USERS = [...ADMINS, 'user_not_found'] as const

/** Around every procedure. What a mutation has committed is told at once to those who follow it here. */
const baseMiddleware = middleware(async ({ ctx, meta, type, next }) => {
  const result = await translateRefusals(meta, async () => {
    await ctx.consumeRateLimit({ address: true })
    return next()
  })
  if (type === 'mutation' && result.ok) ctx.subscriptions.wake()
  return result
})

/** For everybody. It may refuse `codes`, and what every procedure may. */
export function publicProcedure<Code extends RefusalCode = never>(...codes: Code[]) {
  return procedureWithRefusals<(typeof EVERYBODY)[number] | Code>(...EVERYBODY, ...codes)
    .meta({ who: 'everybody' })
    .use(baseMiddleware)
}

/** For admins, who need no row in `users`. */
export function adminProcedure<Code extends RefusalCode = never>(...codes: Code[]) {
  return procedureWithRefusals<(typeof ADMINS)[number] | Code>(...ADMINS, ...codes)
    .meta({ who: 'admin' })
    .use(baseMiddleware)
    .use(async ({ ctx, next }) => {
      const { admin } = await ctx.authenticate()
      if (!admin) throw new Refusal('not_allowed')
      return next()
    })
}

/**
 * For users. The token claims who they are; `ctx.userId` appears after `.use(existingUser)`. What moves points does
 * without it: it decides it in its transaction.
 */
export function userProcedure<Code extends RefusalCode = never>(...codes: Code[]) {
  return procedureWithRefusals<(typeof USERS)[number] | Code>(...USERS, ...codes)
    .meta({ who: 'user' })
    .use(baseMiddleware)
    .use(async ({ ctx, next }) => {
      const { userId } = await ctx.authenticate()
      if (userId === undefined) throw new Refusal('not_allowed')
      await ctx.consumeRateLimit({ userId })
      return next({ ctx: { claimedUserId: userId } })
    })
}

/** Placed after the input, so that nonsense never costs a statement. */
export const requireUser = middleware(async ({ ctx, next }) => {
  const { userId } = await ctx.authenticate()
  if (userId === undefined || !(await ctx.userExistenceCache.has(userId))) throw new Refusal('user_not_found')
  return next({ ctx: { userId } })
})
