/** An order, or a user or a product together with all the rows that a payment locks for it. */
export type RowKey = `${'order' | 'user' | 'product'}:${number}`

/** Whether a batch tries to lock a row with SKIP LOCKED, instead of waiting for it. */
export type IsContended = (row: RowKey) => boolean

/** A value of a row that changes when another transaction updates the row: a status, a balance or an amount of stock. */
type RowValue = string | number

/** The outcome of trying to lock contended rows with SKIP LOCKED. */
export interface LockAttempt {
  /** The rows whose locks were acquired. */
  acquired: RowKey[]
  /** The rows that another transaction keeps locked, and their current values. */
  heldByOthers: ReadonlyMap<RowKey, RowValue>
}

/**
 * The rows that another transaction had locked when a batch last needed them. A batch does not wait for them: it tries to
 * lock them with SKIP LOCKED.
 */
export class ContendedRows {
  readonly #lastValues = new Map<RowKey, RowValue>()

  has(row: RowKey): boolean {
    return this.#lastValues.has(row)
  }

  /** Removes the rows that are no longer contended, and adds those that are. */
  update({ acquired, heldByOthers }: LockAttempt): void {
    for (const row of acquired) this.#lastValues.delete(row)
    for (const [row, value] of heldByOthers) {
      const lastValue = this.#lastValues.get(row) ?? value
      // If the value has changed, other transactions commit updates to the row. The next batch waits for the lock, because
      // SKIP LOCKED could starve its requests.
      if (lastValue === value) this.#lastValues.set(row, value)
      else this.#lastValues.delete(row)
    }
  }
}

/** What a batch read of the contended rows it needs: the rows it acquired with SKIP LOCKED, and the rows that exist. */
export interface TriedRows {
  acquiredOrders: { id: number }[]
  orders: { id: number; status: string }[]
  acquiredWallets: { userId: number }[]
  acquiredUsers: { userId: number }[]
  wallets: { userId: number; balance: number }[]
  acquiredStock: { productId: number }[]
  acquiredProducts: { id: number }[]
  acquiredHours: { productId: number }[]
  stock: { productId: number; stock: number }[]
  hours: { productId: number }[]
}

/**
 * Separates the acquired rows from those that other transactions hold. A user is acquired with the wallet and the row of
 * `users`; a product with its stock, the row of `products` and every row of its hourly sales.
 */
export function classifyContendedRows(tried: TriedRows): LockAttempt {
  const userIds = new Set(tried.acquiredUsers.map(({ userId }) => userId))
  const productIds = new Set(tried.acquiredProducts.map(({ id }) => id))
  const acquiredHours = Map.groupBy(tried.acquiredHours, ({ productId }) => productId)
  const hours = Map.groupBy(tried.hours, ({ productId }) => productId)
  const acquired: RowKey[] = [
    ...tried.acquiredOrders.map(({ id }) => `order:${id}` as const),
    ...tried.acquiredWallets.filter(({ userId }) => userIds.has(userId)).map(({ userId }) => `user:${userId}` as const),
    ...tried.acquiredStock
      .filter(({ productId: id }) => productIds.has(id) && acquiredHours.get(id)?.length === hours.get(id)?.length)
      .map(({ productId }) => `product:${productId}` as const),
  ]
  const heldByOthers = new Map<RowKey, RowValue>([
    ...tried.orders.map(({ id, status }) => [`order:${id}`, status] as const),
    ...tried.wallets.map(({ userId, balance }) => [`user:${userId}`, balance] as const),
    ...tried.stock.map(({ productId, stock }) => [`product:${productId}`, stock] as const),
  ])
  for (const row of acquired) heldByOthers.delete(row)
  return { acquired, heldByOthers }
}
