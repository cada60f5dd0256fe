import { z } from 'zod'
import { router } from '../rpc/init.ts'
import { nameUpTo } from '../rpc/names.ts'
import { adminProcedure, MUTATION_REFUSALS, requireUser, userProcedure } from '../rpc/procedures.ts'
import { id } from '../rpc/schemas.ts'
import * as examples from './examples.ts'
import * as users from './service.ts'
import { user } from './user-schemas.ts'

export const usersRouter = router({
  me: userProcedure()
    .meta({ description: 'Returns the user of the access token.', example: examples.me })
    .use(requireUser)
    .output(user)
    .query(({ ctx }) => users.get(ctx.db, ctx.userId)),

  create: adminProcedure(...MUTATION_REFUSALS, 'name_taken')
    .meta({
      description:
        'Creates a user with an empty wallet. The name must not be in use, not even by a removed user. Two names are the same ' +
        'if they differ only in case, in Unicode normalization, in spaces or in invisible characters. Accents, voicing marks ' +
        'and full-width forms distinguish names.',
      example: examples.create,
    })
    .input(z.strictObject({ name: nameUpTo(150) }))
    .output(user)
    .mutation(({ ctx, input }) => ctx.transact((tx) => users.create(tx, { ...input, now: ctx.now() }))),

  remove: adminProcedure(...MUTATION_REFUSALS, 'user_unknown')
    .meta({
      description:
        'Removes a user. The token of the user can no longer move points. For up to ten seconds more, other servers accept ' +
        'the token to read, and to place and cancel orders, unless the servers share a Redis. An open stream continues until the token expires. The orders and the ' +
        'history of the user remain.',
      example: examples.remove,
    })
    .input(z.strictObject({ userId: id }))
    .output(z.object({ id }))
    .mutation(({ ctx, input }) =>
      ctx.transact((tx) => users.remove(tx, { ...input, now: ctx.now() }), {
        onEnd: () => ctx.userExistenceCache.userRemoved(input.userId),
      }),
    ),
})
