import type { SettlementRequest } from './decide.ts'

/** How many requests one transaction settles at most, so that its locks are held briefly. */
const BATCH_MAX = 256
/** How many order lines one transaction settles at most. Its work, and the time for which it holds locks, grow with them. */
const LINES_MAX = 1_024
/** How many of these the requests with many lines may take, so that every batch has room for those with few. */
const LARGE_LINES_MAX = 768
const LARGE = 8
/** How many requests are considered for a batch. */
const CONSIDERED_MAX = 1_024

/** The products of an order to pay, once they were read. */
const productsToPay = new WeakMap<SettlementRequest, number[]>()

/** Records the products of the order of a request. Until then, an order to pay counts as one line. */
export function recordProducts(request: SettlementRequest, productIds: number[]): void {
  productsToPay.set(request, productIds)
}

function productsOf(request: SettlementRequest): number[] {
  return request.kind === 'checkout'
    ? request.items.map(({ productId }) => productId)
    : (productsToPay.get(request) ?? [])
}

/** The sum of the lines of requests, and whether another one fits. The first one always does. */
class BatchSize {
  #requests = 0
  #lines = 0
  #largeLines = 0

  /** Adds a request, if it fits. */
  add(request: SettlementRequest): boolean {
    const lines = productsOf(request).length || 1
    const isLarge = lines > LARGE
    const fits =
      this.#requests < BATCH_MAX &&
      this.#lines + lines <= LINES_MAX &&
      !(isLarge && this.#largeLines + lines > LARGE_LINES_MAX)
    if (!fits && this.#requests > 0) return false
    this.#requests++
    this.#lines += lines
    if (isLarge) this.#largeLines += lines
    return true
  }
}

/**
 * Chooses the requests of the next batch from those that wait, in order of their arrival, and returns whether each is chosen: at
 * least the first one is. A request that does not fit keeps its place. A later one may overtake it only if they have no user and no
 * known product in common, so that requests for the same points and stock are settled in order of arrival.
 */
export function chooseBatch(waiting: readonly SettlementRequest[]): boolean[] {
  const size = new BatchSize()
  const users = new Set<number>()
  const products = new Set<number>()
  return waiting.map((request, index) => {
    if (index >= CONSIDERED_MAX) return false
    const productIds = productsOf(request)
    const isBehind = users.has(request.userId) || productIds.some((id) => products.has(id))
    if (!isBehind && size.add(request)) return true
    users.add(request.userId)
    for (const id of productIds) products.add(id)
    return false
  })
}
