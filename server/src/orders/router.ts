import { z } from 'zod'
import { cursor } from '../cursor.ts'
import { existingUser, userProcedure } from '../procedures.ts'
import { id, keysetPage, limit } from '../schemas.ts'
import { refuses } from '../trpc.ts'
import { order, orderStatus, placeInput } from './schemas.ts'
import * as orders from './service.ts'

const orderInput = z.strictObject({ orderId: id })

/** The procedures of orders but `checkout`, which payments adds. */
export const orderProcedures = {
  place: userProcedure
    .input(placeInput)
    .use(existingUser)
    .concat(refuses('idempotency_key_reused', 'product_not_found', 'price_changed', 'stock_insufficient'))
    .output(order.extend({ replayed: z.boolean() }))
    .mutation(({ ctx, input }) =>
      ctx.transact((tx) => orders.place(tx, { userId: ctx.userId, ...input, now: ctx.now() })),
    ),

  get: userProcedure
    .input(orderInput)
    .use(existingUser)
    .concat(refuses('order_not_found'))
    .output(order)
    .query(({ ctx, input }) => orders.get(ctx.db, ctx.userId, input.orderId)),

  cancel: userProcedure
    .input(orderInput)
    .use(existingUser)
    .concat(refuses('order_not_found', 'order_not_cancellable'))
    .output(order)
    .mutation(({ ctx, input }) => {
      const call = { userId: ctx.userId, ...input, now: ctx.now() }
      return ctx.transact((tx) => orders.cancel(tx, call), { readBack: (tx) => orders.cancelAgain(tx, call) })
    }),

  list: userProcedure
    .input(z.strictObject({ status: orderStatus.optional(), cursor: cursor.optional(), limit }).prefault({}))
    .use(existingUser)
    .output(keysetPage(order))
    .query(({ ctx, input }) => orders.list(ctx.db, { userId: ctx.userId, ...input })),
}
