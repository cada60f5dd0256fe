import { paid } from '../orders/examples.ts'

const at = new Date('2026-03-02T09:30:00Z')
const payment = { orderId: 1, amount: 2_600, paidAt: at }

export const checkout = {
  input: {
    items: [{ productId: 1, quantity: 2, price: 1_300 }],
    idempotencyKey: '6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b',
  },
  output: { order: paid, payment, balance: 7_400, replayed: false },
}
export const get = { input: { orderId: 1 }, output: payment }
export const pay = {
  input: { orderId: 3 },
  output: { payment: { orderId: 3, amount: 1_300, paidAt: at }, balance: 6_100, replayed: false },
}
export const refund = { input: { orderId: 1 }, output: { orderId: 1, amount: 2_600, refundedAt: at, replayed: false } }
