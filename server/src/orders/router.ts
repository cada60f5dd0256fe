import { z } from 'zod'
import { userTopic } from '../outbox/topics.ts'
import { cursor } from '../rpc/cursor.ts'
import { MUTATION_REFUSALS, requireUser, userProcedure } from '../rpc/procedures.ts'
import { id, keysetPage, limit, newestFirst, orderStatus } from '../rpc/schemas.ts'
import { changeStream, lastEventId, subscribe } from '../rpc/subscription.ts'
import * as examples from './examples.ts'
import { orderChange, orderChangeOf } from './order-changes.ts'
import { order, placeInput } from './order-schemas.ts'
import * as orders from './service.ts'

const orderInput = z.strictObject({ orderId: id })

/** The procedures of orders but `checkout`, which payments adds. */
export const orderProcedures = {
  place: userProcedure(
    ...MUTATION_REFUSALS,
    'idempotency_key_reused',
    'product_not_found',
    'price_changed',
    'stock_insufficient',
  )
    .meta({
      description:
        'Places an order, which can be paid later. Send the prices that the customer saw: a changed price is refused.',
      example: examples.place,
    })
    .input(placeInput)
    .use(requireUser)
    .output(order.extend({ replayed: z.boolean() }))
    .mutation(({ ctx, input }) =>
      ctx.transact((tx) =>
        orders.place(tx, { userId: ctx.userId, ...input, now: ctx.now(), traceparent: ctx.traceparent }),
      ),
    ),

  get: userProcedure('order_not_found')
    .meta({ description: 'Returns one of your orders.', example: examples.get })
    .input(orderInput)
    .use(requireUser)
    .output(order)
    .query(({ ctx, input }) => orders.get(ctx.db, ctx.userId, input.orderId)),

  cancel: userProcedure(...MUTATION_REFUSALS, 'order_not_found', 'order_not_cancellable')
    .meta({
      description: 'Cancels one of your orders. Only a pending order can be cancelled.',
      example: examples.cancel,
    })
    .input(orderInput)
    .use(requireUser)
    .output(order)
    .mutation(({ ctx, input }) => {
      const call = { userId: ctx.userId, ...input, now: ctx.now(), traceparent: ctx.traceparent }
      return ctx.transact((tx) => orders.cancel(tx, call), {
        resolveLostCommit: (tx) => orders.resolveLostCancel(tx, call),
      })
    }),

  list: userProcedure()
    .meta({ description: 'Returns your orders, of all statuses or of one.', example: examples.list })
    .input(z.strictObject({ status: orderStatus.optional(), cursor: cursor.optional(), limit }).prefault({}))
    .use(requireUser)
    .output(newestFirst(keysetPage(order)))
    .query(({ ctx, input }) => orders.list(ctx.db, { userId: ctx.userId, ...input })),

  onChange: userProcedure('not_resumable')
    .meta({
      description: 'Streams the changes of your orders: placed, paid, cancelled and refunded.',
      example: examples.onChange,
    })
    .input(z.strictObject({ lastEventId }).prefault({}))
    .use(requireUser)
    .output(changeStream(orderChange))
    .subscription((call) => subscribe(call, { topics: [userTopic(call.ctx.userId)], changeOf: orderChangeOf })),
}
