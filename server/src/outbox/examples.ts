/* The events of the scenario to which the examples of the procedures belong. */

const productId = 1
const userId = 1
const mug = { productId, name: 'Blue Mug', price: 1_200, stock: 25 }
const repriced = { ...mug, price: 1_300 }

export const productCreated = mug
export const productChanged = repriced
export const productRestocked = { productId, change: 15, stock: 40 }
export const pointsCharged = { userId, historyId: 1, amount: 10_000, balance: 10_000 }
export const orderPlaced = { userId, orderId: 1, totalPrice: 2_600 }
export const orderPaid = {
  userId,
  orderId: 1,
  amount: 2_600,
  balance: 7_400,
  items: [{ productId, quantity: 2, stock: 38 }],
}
export const orderCancelled = { userId, orderId: 2 }
export const orderRefunded = {
  userId,
  orderId: 1,
  amount: 2_600,
  balance: 8_700,
  items: [{ productId, quantity: 2, stock: 39 }],
}
export const productRemoved = { ...repriced, stock: 39 }
