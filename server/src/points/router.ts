import { z } from 'zod'
import { userTopic } from '../outbox/topics.ts'
import { cursor } from '../rpc/cursor.ts'
import { router } from '../rpc/init.ts'
import { MUTATION_REFUSALS, requireUser, userProcedure } from '../rpc/procedures.ts'
import { idempotencyKey, keysetPage, limit, newestFirst, wholeNumber } from '../rpc/schemas.ts'
import { changeStream, lastEventId, subscribe } from '../rpc/subscription.ts'
import { pointsChange, pointsChangeOf } from './balance-changes.ts'
import * as examples from './examples.ts'
import { balance, charge, history } from './point-schemas.ts'
import * as points from './service.ts'

export const pointsRouter = router({
  balance: userProcedure()
    .meta({ description: 'Returns your balance and its limit.', example: examples.balance })
    .use(requireUser)
    .output(balance)
    .query(({ ctx }) => points.balance(ctx.db, ctx.userId)),

  charge: userProcedure(...MUTATION_REFUSALS, 'idempotency_key_reused', 'points_limit_exceeded')
    .meta({
      description: 'Adds points to your balance. The balance cannot exceed its limit.',
      example: examples.charge,
    })
    .input(z.strictObject({ amount: wholeNumber.min(1), idempotencyKey }))
    .output(charge)
    .mutation(({ ctx, input }) =>
      ctx.transact((tx) =>
        points.charge(tx, { userId: ctx.tokenUserId, ...input, now: ctx.now(), traceparent: ctx.traceparent }),
      ),
    ),

  histories: userProcedure()
    .meta({
      description: 'Returns every change of your balance: charges, payments and refunds.',
      example: examples.histories,
    })
    .input(z.strictObject({ cursor: cursor.optional(), limit }).prefault({}))
    .use(requireUser)
    .output(newestFirst(keysetPage(history)))
    .query(({ ctx, input }) => points.histories(ctx.db, { userId: ctx.userId, ...input })),

  onChange: userProcedure('not_resumable')
    .meta({ description: 'Streams the changes of your balance.', example: examples.onChange })
    .input(z.strictObject({ lastEventId }).prefault({}))
    .use(requireUser)
    .output(changeStream(pointsChange))
    .subscription((call) => subscribe(call, { topics: [userTopic(call.ctx.userId)], changeOf: pointsChangeOf })),
})
