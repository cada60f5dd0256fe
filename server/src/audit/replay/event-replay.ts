import type { StoredEvent } from '../../outbox/events.ts'
import type { LineRow, LinesByOrder } from '../checks/described-rows.ts'
import type { Findings } from '../findings.ts'
import { type Chunk, isIn } from '../queries/chunk-queries.ts'
import { ProductState, WalletState } from './replay-state.ts'

/** The users and the products whose wallets and stock one replay follows. */
export interface ReplayRange {
  users: Chunk
  products: Chunk
}

/** Which events have no event before them: those of all wallets, or, if old events were deleted, of none. */
export type ReplayStart = 'beginning' | 'horizon'

type OrderPayload = { userId: number; orderId: number; amount: number; balance: number; items: readonly Item[] }
type Item = { productId: number; quantity: number; stock: number }

/**
 * Applies events in the order of their ids to the wallets and the products of a range, and reports each event whose balance or
 * stock does not follow from the events before it.
 */
export class EventReplay {
  readonly wallets = new Map<number, WalletState>()
  readonly products = new Map<number, ProductState>()
  readonly #findings: Findings
  readonly #range: ReplayRange
  readonly #start: ReplayStart

  constructor(findings: Findings, range: ReplayRange, start: ReplayStart) {
    this.#findings = findings
    this.#range = range
    this.#start = start
  }

  apply(event: StoredEvent, lines: LinesByOrder): void {
    const { type, payload } = event
    switch (type) {
      case 'points.charged':
        this.#changeBalance(event, payload, payload.amount)
        break
      case 'order.placed':
        this.#checkOffers(event, lines.get(payload.orderId) ?? [])
        break
      case 'order.paid':
        this.#sell(event, payload, 1)
        break
      case 'order.refunded':
        this.#sell(event, payload, -1)
        break
      case 'order.cancelled':
        break
      default:
        if (isIn(this.#range.products, payload.productId)) this.#changeProduct(event)
    }
  }

  /** Skips an event whose values cannot be read: its wallet and its products are unknown until the next event. */
  skip({ userIds, productIds }: { userIds: number[]; productIds: number[] }): void {
    for (const userId of userIds) this.#wallet(userId)?.forget()
    for (const productId of productIds) {
      if (isIn(this.#range.products, productId)) this.#product(productId).forget()
    }
  }

  #changeBalance(event: StoredEvent, { userId, balance }: { userId: number; balance: number }, change: number): void {
    const wallet = this.#wallet(userId)
    if (!wallet) return
    const before = wallet.eventId
    const expected = wallet.balance.apply(change, balance)
    wallet.eventId = event.id
    wallet.changedAt = event.at.getTime()
    if (expected === undefined) return
    this.#report(event, { user_id: userId }, `balance ${expected}`, `balance ${balance}`, before)
  }

  #sell(event: StoredEvent, { items, ...payload }: OrderPayload, sign: 1 | -1): void {
    this.#changeBalance(event, payload, -sign * payload.amount)
    for (const { productId, quantity, stock } of items) {
      if (!isIn(this.#range.products, productId)) continue
      const product = this.#product(productId)
      this.#changeStock(event, product, { productId, stock }, -sign * quantity)
      if (product.sold !== undefined) product.sold += sign * quantity
    }
  }

  #changeProduct(event: StoredEvent): void {
    const { type, payload, at } = event
    if (!('productId' in payload)) return
    const { productId } = payload
    if (type === 'product.created') {
      this.#createProduct(event, payload)
      return
    }
    const product = this.#product(productId)
    if (product.isRemoved) {
      this.#report(event, { product_id: productId }, 'no change after the removal', type, product.eventId)
    }
    const before = product.eventId
    this.#changeStock(event, product, payload, 'change' in payload ? payload.change : 0)
    if ('change' in payload) return
    const { name, price } = payload
    if (type === 'product.changed') {
      product.changeOffer({ name, price }, at)
      return
    }
    const { offer } = product
    if (offer && (offer.name !== name || offer.price !== price)) {
      const expected = `name ${offer.name}, price ${offer.price}`
      this.#report(event, { product_id: productId }, expected, `name ${name}, price ${price}`, before)
    }
    product.changeOffer(undefined, at)
    product.isRemoved = true
  }

  #createProduct(
    event: StoredEvent,
    { productId, stock, name, price }: { productId: number; stock: number; name: string; price: number },
  ): void {
    const earlier = this.products.get(productId)
    if (earlier) {
      this.#report(event, { product_id: productId }, 'no event before', event.type, earlier.eventId)
      return
    }
    const product = this.#product(productId)
    product.stock.apply(0, stock)
    product.offer = { name, price }
    product.sold = 0
    product.eventId = event.id
  }

  #changeStock(
    event: StoredEvent,
    product: ProductState,
    { productId, stock }: { productId: number; stock: number },
    change: number,
  ): void {
    const before = product.eventId
    const expected = product.stock.apply(change, stock)
    product.eventId = event.id
    if (expected !== undefined) {
      this.#report(event, { product_id: productId }, `stock ${expected}`, `stock ${stock}`, before)
    }
  }

  #checkOffers({ at }: StoredEvent, lines: readonly LineRow[]): void {
    for (const { orderId, productId, name, price } of lines) {
      const product = this.products.get(productId)
      if (!product || product.isOffered({ name, price }, at)) continue
      const { offer } = product
      this.#findings.addFinding('offers', {
        what: 'order_products',
        ids: { order_id: orderId, product_id: productId },
        expected: offer ? `product_name ${offer.name}, price ${offer.price}` : 'no line of a removed product',
        found: `product_name ${name}, price ${price}`,
      })
    }
  }

  #report(event: StoredEvent, ids: Record<string, number>, expected: string, found: string, after: number): void {
    const previous = after === 0 ? 'as the first event' : `after event ${after}`
    this.#findings.addFinding('sequence', {
      what: 'events',
      ids: { id: event.id, ...ids },
      expected: `${expected} ${previous}`,
      found,
    })
  }

  #wallet(userId: number): WalletState | undefined {
    if (!isIn(this.#range.users, userId)) return undefined
    const wallet = this.wallets.get(userId) ?? new WalletState(this.#start === 'beginning' ? 0 : undefined)
    this.wallets.set(userId, wallet)
    return wallet
  }

  #product(productId: number): ProductState {
    const product = this.products.get(productId) ?? new ProductState()
    this.products.set(productId, product)
    return product
  }
}
