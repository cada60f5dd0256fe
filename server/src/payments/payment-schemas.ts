import { z } from 'zod'
import { order } from '../orders/order-schemas.ts'
import { id, price } from '../rpc/schemas.ts'

export const payment = z.object({ orderId: id, amount: price, paidAt: z.date() }).meta({ id: 'Payment' })
export type Payment = z.output<typeof payment>

const balance = z.int().min(0)

/** A payment, and the balance of the wallet right after it. */
export const paymentWithBalance = z.object({ payment, balance, replayed: z.boolean() })

export const paidOrder = z.object({ order, payment, balance, replayed: z.boolean() })

/** A paid order, its payment, and the balance of the wallet right after the payment, also when it is replayed. */
export type PaidOrder = z.output<typeof paidOrder>

export const refund = z.object({ orderId: id, amount: price, refundedAt: z.date(), replayed: z.boolean() })
export type Refund = z.output<typeof refund>
