/** An order, or a user or product with all the rows that a payment needs of them, that somebody may keep locked. */
export type RowKey = `${'order' | 'user' | 'product'}:${number}`

/** What was read of the suspects: rows that were locked without waiting, and how they stand, locked or not. */
export interface TriedSuspects {
  orders: { id: number }[]
  statuses: { id: number; status: string }[]
  wallets: { userId: number }[]
  users: { userId: number }[]
  balances: { userId: number; balance: number }[]
  stock: { productId: number }[]
  products: { id: number }[]
  hours: { productId: number }[]
  stockNow: { productId: number; stock: number }[]
  hourRows: { productId: number }[]
}

export interface ToldSuspects {
  /** The suspects that were had. */
  free: RowKey[]
  /** The suspects that somebody else keeps locked, and what they say at the moment. */
  blocked: ReadonlyMap<RowKey, string | number>
}

/** A suspect was had when every row that belongs to it was: a user with the wallet, a product with its stock and its hours. */
export function classifyContendedRows(tried: TriedSuspects): ToldSuspects {
  const users = new Set(tried.users.map(({ userId }) => userId))
  const products = new Set(tried.products.map(({ id }) => id))
  const hoursHad = Map.groupBy(tried.hours, ({ productId }) => productId)
  const hoursThere = Map.groupBy(tried.hourRows, ({ productId }) => productId)
  const free: RowKey[] = [
    ...tried.orders.map(({ id }) => `order:${id}` as const),
    ...tried.wallets.filter(({ userId }) => users.has(userId)).map(({ userId }) => `user:${userId}` as const),
    ...tried.stock
      .filter(({ productId: id }) => products.has(id) && hoursHad.get(id)?.length === hoursThere.get(id)?.length)
      .map(({ productId }) => `product:${productId}` as const),
  ]
  const blocked = new Map<RowKey, string | number>([
    ...tried.statuses.map(({ id, status }) => [`order:${id}`, status] as const),
    ...tried.balances.map(({ userId, balance }) => [`user:${userId}`, balance] as const),
    ...tried.stockNow.map(({ productId, stock }) => [`product:${productId}`, stock] as const),
  ])
  for (const row of free) blocked.delete(row)
  return { free, blocked }
}
