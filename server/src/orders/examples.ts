const at = new Date('2026-03-02T09:30:00Z')

/** An order of so many mugs, which is not paid. */
const mugs = (id: number, quantity: number) => ({
  id,
  status: 'pending',
  items: [{ productId: 1, productName: 'Blue Mug', price: 1_300, quantity, amount: quantity * 1_300 }],
  totalPrice: quantity * 1_300,
  createdAt: at,
  paidAt: null,
})

/** The order that is checked out. */
export const paid = { ...mugs(1, 2), status: 'paid', paidAt: at }
const placed = mugs(2, 1)

export const get = { input: { orderId: 1 }, output: paid }
export const place = {
  input: {
    items: [{ productId: 1, quantity: 1, price: 1_300 }],
    idempotencyKey: '1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed',
  },
  output: { ...placed, replayed: false },
}
export const cancel = { input: { orderId: 2 }, output: { ...placed, status: 'cancelled' } }
export const list = {
  input: { status: 'paid', limit: 1 },
  output: { items: [{ ...mugs(3, 1), status: 'paid', paidAt: at }], nextCursor: 'YWZ0ZXI6Mw' },
}
export const onChange = { output: { type: 'paid', orderId: 1, amount: 2_600, at } }
