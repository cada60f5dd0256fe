const product = {
  id: 1,
  storeId: 1,
  storeName: 'Kitchen & Co',
  name: 'Blue Mug',
  price: 1_200,
  stock: 25,
  salesVolume: 0,
  createdAt: new Date('2026-03-02T09:30:00Z'),
}
const repriced = { ...product, price: 1_300 }
const restocked = { ...repriced, stock: 40 }
const sold = { ...restocked, stock: 38, salesVolume: 2 }
const productId = product.id

export const create = { input: { storeId: 1, name: 'Blue Mug', price: 1_200, stock: 25 }, output: product }
export const update = { input: { productId, price: 1_300 }, output: repriced }
export const restock = {
  input: { productId, quantity: 15, idempotencyKey: '3f0c8a52-6d0e-4c61-9f0a-2b7c1d9e4a10' },
  output: restocked,
}
export const get = { input: { productId }, output: restocked }
export const list = {
  input: { page: 1 },
  output: { items: [restocked], page: 1, pageSize: 20, totalItems: 1, totalPages: 1 },
}
export const scroll = { input: { limit: 10 }, output: { items: [restocked], nextCursor: null } }
export const topSelling = { output: [{ rank: 1, salesVolume: 2, product: sold }] }
export const trending = {
  output: {
    items: [{ rank: 1, soldCount: 2, product: sold }],
    from: new Date('2026-02-27T09:00:00Z'),
    asOf: new Date('2026-03-02T09:30:00Z'),
  },
}
export const remove = { input: { productId }, output: { ...restocked, stock: 39, salesVolume: 1 } }
export const onStock = {
  input: { productIds: [productId] },
  output: {
    type: 'sold',
    products: [{ productId, stock: 38, price: null }],
    at: new Date('2026-03-02T09:30:00Z'),
  },
}
