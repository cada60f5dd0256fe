import { z } from 'zod'
import { orderProcedures } from '../../server/src/orders/router.ts'
import { Refusal } from '../../server/src/refusals.ts'
import { router } from '../../server/src/rpc/init.ts'
import { publicProcedure, requireUser, userProcedure } from '../../server/src/rpc/procedures.ts'

const id = z.int().min(1)

/** The textbook payment with the server's own tools: one transaction for each payment, nine statements between BEGIN and COMMIT. */
const pay = userProcedure('order_not_found', 'order_not_payable', 'points_insufficient', 'stock_insufficient')
  .input(z.strictObject({ orderId: id }))
  .use(requireUser)
  .output(z.object({ payment: z.object({ orderId: id, amount: z.int(), paidAt: z.date() }), balance: z.int() }))
  .mutation(({ ctx: { transact, userId }, input: { orderId } }) =>
    transact(async (tx) => {
      const order = await tx
        .selectFrom('orders')
        .select(['id', 'status', 'total_price'])
        .where('id', '=', orderId)
        .where('user_id', '=', userId)
        .forUpdate()
        .executeTakeFirstOrThrow(() => new Refusal('order_not_found', { orderId }))
      if (order.status !== 'pending') throw new Refusal('order_not_payable', { status: order.status })
      const amount = order.total_price
      const lines = await tx
        .selectFrom('order_products')
        .selectAll()
        .where('order_id', '=', orderId)
        .orderBy('product_id')
        .execute()
      const debited = await tx
        .updateTable('points')
        .set((eb) => ({ point: eb('point', '-', amount) }))
        .where('user_id', '=', userId)
        .where('point', '>=', amount)
        .executeTakeFirst()
      if (debited.numUpdatedRows === 0n) throw new Refusal('points_insufficient', { required: amount, balance: 0 })
      const wallet = await tx
        .selectFrom('points')
        .select(['id', 'point'])
        .where('user_id', '=', userId)
        .executeTakeFirstOrThrow()
      await tx
        .insertInto('point_histories')
        .values({
          point_id: wallet.id,
          point: -amount,
          balance: wallet.point,
          use_type: 'USE',
          order_id: orderId,
          idempotency_key: null,
        })
        .execute()
      for (const { product_id, count } of lines) {
        const taken = await tx
          .updateTable('stock')
          .set((eb) => ({ stock: eb('stock', '-', count) }))
          .where('product_id', '=', product_id)
          .where('stock', '>=', count)
          .executeTakeFirst()
        if (taken.numUpdatedRows === 0n) {
          throw new Refusal('stock_insufficient', { productId: product_id, requested: count, available: 0 })
        }
        await tx
          .updateTable('products')
          .set((eb) => ({ sales_volume: eb('sales_volume', '+', count) }))
          .where('id', '=', product_id)
          .execute()
      }
      const paidAt = new Date()
      await tx
        .insertInto('payments')
        .values({ order_id: orderId, user_id: userId, amount, created_at: paidAt })
        .execute()
      await tx.updateTable('orders').set({ status: 'paid', paid_at: paidAt }).where('id', '=', orderId).execute()
      return { payment: { orderId, amount, paidAt }, balance: wallet.point }
    }),
  )

/** Orders are placed by the server's own procedure and paid by the textbook payment. */
export const baselineRouter = router({
  payments: router({ pay }),
  orders: router({ place: orderProcedures.place }),
  nothing: router({
    at: publicProcedure()
      .output(z.object({ ok: z.boolean() }))
      .query(() => ({ ok: true })),
  }),
})
