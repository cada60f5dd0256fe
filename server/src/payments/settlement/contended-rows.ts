/** An order, or a user or a product together with all the rows that a payment locks for it. */
export type RowKey = `${'order' | 'user' | 'product'}:${number}`

/** A value of a row that changes when another transaction updates the row: a status, a balance or an amount of stock. */
type RowValue = string | number

/** The outcome of trying to lock contended rows with SKIP LOCKED. */
export interface LockAttempt {
  /** The rows whose locks were acquired. */
  acquired: RowKey[]
  /** The rows that another transaction keeps locked, and their values at the moment. */
  locked: ReadonlyMap<RowKey, RowValue>
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
  update({ acquired, locked }: LockAttempt): void {
    for (const row of acquired) this.#lastValues.delete(row)
    for (const [row, value] of locked) {
      const lastValue = this.#lastValues.get(row) ?? value
      // A contended row whose value has changed is being updated by other transactions in turn. Wait in the lock queue for
      // it, because requests that use SKIP LOCKED for it could starve.
      if (lastValue === value) this.#lastValues.set(row, value)
      else this.#lastValues.delete(row)
    }
  }
}

/** What a batch read of the contended rows it needs: the rows it locked with SKIP LOCKED, and the rows that exist. */
export interface TriedRows {
  lockedOrders: { id: number }[]
  orders: { id: number; status: string }[]
  lockedWallets: { userId: number }[]
  lockedUsers: { userId: number }[]
  wallets: { userId: number; balance: number }[]
  lockedStock: { productId: number }[]
  lockedProducts: { id: number }[]
  lockedHours: { productId: number }[]
  stock: { productId: number; stock: number }[]
  hours: { productId: number }[]
}

/**
 * Separates acquired rows from locked ones. A user is acquired with the wallet and the row of `users`; a product with its stock,
 * the row of `products` and every row of its hourly sales.
 */
export function classifyContendedRows(tried: TriedRows): LockAttempt {
  const lockedUsers = new Set(tried.lockedUsers.map(({ userId }) => userId))
  const lockedProducts = new Set(tried.lockedProducts.map(({ id }) => id))
  const lockedHours = Map.groupBy(tried.lockedHours, ({ productId }) => productId)
  const hours = Map.groupBy(tried.hours, ({ productId }) => productId)
  const acquired: RowKey[] = [
    ...tried.lockedOrders.map(({ id }) => `order:${id}` as const),
    ...tried.lockedWallets
      .filter(({ userId }) => lockedUsers.has(userId))
      .map(({ userId }) => `user:${userId}` as const),
    ...tried.lockedStock
      .filter(({ productId: id }) => lockedProducts.has(id) && lockedHours.get(id)?.length === hours.get(id)?.length)
      .map(({ productId }) => `product:${productId}` as const),
  ]
  const locked = new Map<RowKey, RowValue>([
    ...tried.orders.map(({ id, status }) => [`order:${id}`, status] as const),
    ...tried.wallets.map(({ userId, balance }) => [`user:${userId}`, balance] as const),
    ...tried.stock.map(({ productId, stock }) => [`product:${productId}`, stock] as const),
  ])
  for (const row of acquired) locked.delete(row)
  return { acquired, locked }
}
