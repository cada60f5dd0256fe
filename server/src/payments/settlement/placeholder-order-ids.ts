import type { PaidOrder } from '../payment-schemas.ts'

/**
 * Ids of new orders before they are inserted: -1, -2, … in the order of insertion. The database assigns consecutive ids to
 * the rows of one INSERT (`checkServer` asserts it), so the first assigned id gives the real id of every placeholder.
 */
export class PlaceholderOrderIds {
  #used: number
  #firstId: number | undefined

  /** Continues after the placeholders that `earlier` has used. */
  constructor(earlier?: PlaceholderOrderIds) {
    this.#used = earlier === undefined ? 0 : earlier.#used
  }

  next(): number {
    this.#used++
    return -this.#used
  }

  /** Takes the id that the database assigned to the first new order. */
  assign(firstId: number): void {
    this.#firstId = firstId
  }

  /** The real id of an order. An order that existed before the batch has it already. */
  toRealId(orderId: number): number {
    if (orderId > 0) return orderId
    if (this.#firstId === undefined) throw new Error(`Order ${orderId} was not inserted, so it has no id yet.`)
    return this.#firstId - orderId - 1
  }

  /** The same paid order with real ids. */
  withRealIds(paid: PaidOrder): PaidOrder {
    const orderId = this.toRealId(paid.order.id)
    return { ...paid, order: { ...paid.order, id: orderId }, payment: { ...paid.payment, orderId } }
  }
}
