import { z } from 'zod'
import { placeInput } from '../orders/order-schemas.ts'
import { router } from '../rpc/init.ts'
import { adminProcedure, MUTATION_REFUSALS, requireUser, userProcedure } from '../rpc/procedures.ts'
import { id } from '../rpc/schemas.ts'
import * as examples from './examples.ts'
import { paidOrder, payment, paymentWithBalance, refund } from './payment-schemas.ts'
import * as payments from './service.ts'

const orderInput = z.strictObject({ orderId: id })

export const paymentsRouter = router({
  pay: userProcedure(
    ...MUTATION_REFUSALS,
    'order_not_found',
    'order_not_payable',
    'points_insufficient',
    'stock_insufficient',
  )
    .meta({
      description:
        'Pays an order with points. If the order is already paid, the response is the existing payment with `replayed: true`.',
      example: examples.pay,
    })
    .input(orderInput)
    .output(paymentWithBalance)
    .mutation(({ ctx, input }) => {
      const request = {
        kind: 'pay',
        userId: ctx.tokenUserId,
        ...input,
        now: ctx.now(),
        deadline: ctx.deadline,
        traceparent: ctx.traceparent,
      } as const
      return ctx.settlement.settle(request, ctx.onFailedAttempt)
    }),

  get: userProcedure('payment_not_found')
    .meta({ description: 'Returns the payment of one of your orders.', example: examples.get })
    .input(orderInput)
    .use(requireUser)
    .output(payment)
    .query(({ ctx, input }) => payments.get(ctx.db, ctx.userId, input.orderId)),

  refund: adminProcedure(...MUTATION_REFUSALS, 'order_not_found', 'order_not_refundable', 'points_limit_exceeded')
    .meta({
      description:
        'Refunds a paid order once: returns its points and its stock, and subtracts it from the sales volume.',
      example: examples.refund,
    })
    .input(orderInput)
    .output(refund)
    .mutation(({ ctx, input }) =>
      ctx.transact((tx) => payments.refund(tx, { ...input, now: ctx.now(), traceparent: ctx.traceparent })),
    ),
})

/** Mounted as `orders.checkout`; it is declared here because the orders slice does not import payments. */
export const checkout = userProcedure(
  ...MUTATION_REFUSALS,
  'idempotency_key_reused',
  'product_not_found',
  'price_changed',
  'points_insufficient',
  'stock_insufficient',
)
  .meta({
    description: 'Places an order and pays it with points in one transaction. If any part is refused, nothing changes.',
    example: examples.checkout,
  })
  .input(placeInput)
  .output(paidOrder)
  .mutation(({ ctx, input }) => {
    const request = {
      kind: 'checkout',
      userId: ctx.tokenUserId,
      ...input,
      now: ctx.now(),
      deadline: ctx.deadline,
      traceparent: ctx.traceparent,
    } as const
    return ctx.settlement.settle(request, ctx.onFailedAttempt)
  })
