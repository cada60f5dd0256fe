import { caseWhen, type Tx } from '@pointwise/db'
import type { PaymentWrite } from './decide.ts'

/** The new orders of a batch. The database assigns consecutive ids to them, from `insertId` on. */
export function insertOrders(tx: Tx, writes: (PaymentWrite & { idempotencyKey: string })[]) {
  return tx.insertInto('orders').values(
    writes.map(({ userId, order, idempotencyKey, paidAt }) => ({
      user_id: userId,
      status: order.status,
      total_price: order.totalPrice,
      idempotency_key: idempotencyKey,
      paid_at: paidAt,
      created_at: order.createdAt,
      updated_at: order.createdAt,
    })),
  )
}

export function insertOrderLines(tx: Tx, writes: PaymentWrite[]) {
  return tx.insertInto('order_products').values(
    writes.flatMap(({ order }) =>
      order.items.map(({ productId, productName, price, quantity }) => ({
        order_id: order.id,
        product_id: productId,
        product_name: productName,
        price,
        count: quantity,
      })),
    ),
  )
}

/** Assignments run from left to right, so `updated_at` gets the new value of `paid_at`. */
export function updateOrdersPaid(tx: Tx, writes: PaymentWrite[]) {
  const times = caseWhen(
    'id',
    writes.map(({ order, paidAt }) => [order.id, paidAt] as const),
  )
  return tx
    .updateTable('orders')
    .set((eb) => ({ status: 'paid', paid_at: times, updated_at: eb.ref('paid_at').$notNull() }))
    .where(
      'id',
      'in',
      writes.map(({ order }) => order.id),
    )
}

/** Sets each wallet to the balance after its last payment of the batch. */
export function updateWallets(tx: Tx, writes: PaymentWrite[]) {
  const lastByWallet = new Map(writes.map((write) => [write.walletId, write]))
  const walletIds = [...lastByWallet.keys()]
  const last = [...lastByWallet]
  return tx
    .updateTable('points')
    .set({
      point: caseWhen(
        'id',
        last.map(([id, { balance }]) => [id, balance] as const),
      ),
      updated_at: caseWhen(
        'id',
        last.map(([id, { paidAt }]) => [id, paidAt] as const),
      ),
    })
    .where('id', 'in', walletIds)
}

export function insertHistories(tx: Tx, writes: PaymentWrite[]) {
  return tx.insertInto('point_histories').values(
    writes.map(({ walletId, order, balance, paidAt }) => ({
      point_id: walletId,
      point: -order.totalPrice,
      balance,
      use_type: 'USE' as const,
      order_id: order.id,
      idempotency_key: null,
      created_at: paidAt,
    })),
  )
}

export function insertPayments(tx: Tx, writes: PaymentWrite[]) {
  return tx.insertInto('payments').values(
    writes.map(({ userId, order, paidAt }) => ({
      order_id: order.id,
      user_id: userId,
      amount: order.totalPrice,
      created_at: paidAt,
    })),
  )
}
