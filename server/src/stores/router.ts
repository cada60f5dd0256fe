import { z } from 'zod'
import { router } from '../rpc/init.ts'
import { nameUpTo } from '../rpc/names.ts'
import { adminProcedure, MUTATION_REFUSALS, publicProcedure } from '../rpc/procedures.ts'
import * as examples from './examples.ts'
import * as stores from './service.ts'
import { store } from './store-schemas.ts'

export const storesRouter = router({
  create: adminProcedure(...MUTATION_REFUSALS, 'name_taken')
    .meta({
      description: 'Creates a store. The name must not be in use. `users.create` states which names are the same.',
      example: examples.create,
    })
    .input(z.strictObject({ name: nameUpTo(50) }))
    .output(store)
    .mutation(({ ctx, input }) => ctx.transact((tx) => stores.create(tx, input))),

  list: publicProcedure()
    .meta({ description: 'Returns all stores.', example: examples.list })
    .output(z.array(store))
    .query(({ ctx }) => stores.list(ctx.db)),
})
