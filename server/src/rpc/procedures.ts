import { Refusal, type RefusalCode } from '../refusals.ts'
import { middleware, refuses, translateRefusals } from './init.ts'

const EVERYBODY = ['rate_limited', 'service_busy'] as const
const ADMINS = [...EVERYBODY, 'token_missing', 'token_invalid', 'not_allowed'] as const
const USERS = [...ADMINS, 'user_not_found'] as const

/** Around every procedure. What a mutation has committed is told at once to those who follow it here. */
const atTheDoor = middleware(async ({ ctx, meta, type, next }) => {
  const result = await translateRefusals(meta, async () => {
    await ctx.admit({ address: true })
    return next()
  })
  if (type === 'mutation' && result.ok) ctx.live.wake()
  return result
})

/** For everybody. It may refuse `codes`, and what every procedure may. */
export function publicProcedure<Code extends RefusalCode = never>(...codes: Code[]) {
  return refuses<(typeof EVERYBODY)[number] | Code>(...EVERYBODY, ...codes)
    .meta({ who: 'everybody' })
    .use(atTheDoor)
}

/** For admins, who need no row in `users`. */
export function adminProcedure<Code extends RefusalCode = never>(...codes: Code[]) {
  return refuses<(typeof ADMINS)[number] | Code>(...ADMINS, ...codes)
    .meta({ who: 'admin' })
    .use(atTheDoor)
    .use(async ({ ctx, next }) => {
      const { admin } = await ctx.identify()
      if (!admin) throw new Refusal('not_allowed')
      return next()
    })
}

/**
 * For users. The token claims who they are; `ctx.userId` appears after `.use(existingUser)`. What moves points does
 * without it: it decides it in its transaction.
 */
export function userProcedure<Code extends RefusalCode = never>(...codes: Code[]) {
  return refuses<(typeof USERS)[number] | Code>(...USERS, ...codes)
    .meta({ who: 'user' })
    .use(atTheDoor)
    .use(async ({ ctx, next }) => {
      const { userId } = await ctx.identify()
      if (userId === undefined) throw new Refusal('not_allowed')
      await ctx.admit({ userId })
      return next({ ctx: { claimedUserId: userId } })
    })
}

/** Placed after the input, so that nonsense never costs a statement. */
export const existingUser = middleware(async ({ ctx, next }) => {
  const { userId } = await ctx.identify()
  if (userId === undefined || !(await ctx.directory.has(userId))) throw new Refusal('user_not_found')
  return next({ ctx: { userId } })
})
