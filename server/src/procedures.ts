import { Refusal } from './refusals.ts'
import { middleware, refuses } from './trpc.ts'

/** For everybody. What a mutation has committed is told at once to those who follow it here. */
export const publicProcedure = refuses('rate_limited', 'service_busy')
  .meta({ who: 'everybody' })
  .use(async ({ ctx, type, next }) => {
    await ctx.admit({ address: true })
    const result = await next()
    if (type === 'mutation' && result.ok) ctx.live.wake()
    return result
  })

/** For admins, who need no row in `users`. */
export const adminProcedure = publicProcedure
  .concat(refuses('token_missing', 'token_invalid', 'not_allowed'))
  .meta({ who: 'admin' })
  .use(async ({ ctx, next }) => {
    const { admin } = await ctx.identify()
    if (!admin) throw new Refusal('not_allowed')
    return next()
  })

/**
 * For users. The token claims who they are; `ctx.userId` appears after `.use(existingUser)`. What moves points does
 * without it: it decides it in its transaction.
 */
export const userProcedure = publicProcedure
  .concat(refuses('token_missing', 'token_invalid', 'not_allowed', 'user_not_found'))
  .meta({ who: 'user' })
  .use(async ({ ctx, next }) => {
    const { userId } = await ctx.identify()
    if (userId === undefined) throw new Refusal('not_allowed')
    await ctx.admit({ userId })
    return next({ ctx: { claimedUserId: userId } })
  })

/** Placed after the input, so that nonsense never costs a statement. */
export const existingUser = middleware(async ({ ctx, next }) => {
  const { userId } = await ctx.identify()
  if (userId === undefined || !(await ctx.directory.has(userId))) throw new Refusal('user_not_found')
  return next({ ctx: { userId } })
})
