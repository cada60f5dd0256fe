import { z } from 'zod'
import { adminProcedure, existingUser, userProcedure } from '../procedures.ts'
import { id, nameUpTo } from '../schemas.ts'
import { refuses, router } from '../trpc.ts'
import * as examples from './examples.ts'
import * as users from './service.ts'

const user = z.object({ id, name: z.string(), createdAt: z.date() })

export const usersRouter = router({
  me: userProcedure
    .meta({ description: 'Who you are.', example: examples.me })
    .use(existingUser)
    .output(user)
    .query(({ ctx }) => users.get(ctx.db, ctx.userId)),

  create: adminProcedure
    .meta({
      description: 'Creates a user, with an empty wallet. A name belongs to one user.',
      example: examples.create,
    })
    .input(z.strictObject({ name: nameUpTo(150) }))
    .concat(refuses('name_taken'))
    .output(user)
    .mutation(({ ctx, input }) => ctx.transact((tx) => users.create(tx, { ...input, now: ctx.now() }))),

  remove: adminProcedure
    .meta({
      description: 'Removes a user, whose token is worth nothing from then on. Orders and history stay.',
      example: examples.remove,
    })
    .input(z.strictObject({ userId: id }))
    .concat(refuses('user_not_found'))
    .output(z.object({ id }))
    .mutation(async ({ ctx, input }) => {
      const removed = await ctx.transact((tx) => users.remove(tx, { ...input, now: ctx.now() }))
      ctx.directory.forget(input.userId)
      return removed
    }),
})
