import { z } from 'zod'
import { adminProcedure, publicProcedure } from '../procedures.ts'
import { id, nameUpTo } from '../schemas.ts'
import { refuses, router } from '../trpc.ts'
import * as stores from './service.ts'

const store = z.object({ id, name: z.string() })

export const storesRouter = router({
  create: adminProcedure
    .input(z.strictObject({ name: nameUpTo(50) }))
    .concat(refuses('name_taken'))
    .output(store)
    .mutation(({ ctx, input }) => ctx.transact((tx) => stores.create(tx, input))),

  list: publicProcedure.output(z.array(store)).query(({ ctx }) => stores.list(ctx.db)),
})
