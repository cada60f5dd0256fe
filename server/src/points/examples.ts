const at = new Date('2026-03-02T09:30:00Z')

export const charge = {
  input: { amount: 10_000, idempotencyKey: '9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d' },
  output: { historyId: 1, amount: 10_000, balance: 10_000, replayed: false },
}
export const balance = { output: { balance: 6_100, limit: 1_000_000, updatedAt: at } }
export const histories = {
  input: { limit: 2 },
  output: {
    items: [
      { id: 3, type: 'USE', amount: -1_300, balance: 6_100, orderId: 3, createdAt: at },
      { id: 2, type: 'USE', amount: -2_600, balance: 7_400, orderId: 1, createdAt: at },
    ],
    nextCursor: 'YWZ0ZXI6Mg',
  },
}
export const onChange = { output: { type: 'paid', amount: -2_600, balance: 7_400, orderId: 1, at } }
