import type { Deadline } from '@pointwise/db'
import type { Order } from '../../orders/order-schemas.ts'
import * as orders from '../../orders/service.ts'
import type { TraceContext } from '../../outbox/events.ts'
import type { Wallet } from '../../points/service.ts'
import * as offers from '../../products/offers.ts'
import * as stock from '../../products/stock.ts'
import { Refusal } from '../../refusals.ts'
import type { PaidOrder } from '../payment-schemas.ts'
import { PlaceholderOrderIds } from './placeholder-order-ids.ts'

/** A call that waits to be settled. `now` is the time of the call and becomes the time of its payment. */
export type SettlementRequest = PayRequest | CheckoutRequest

interface Call extends TraceContext {
  /** After it, nothing is written for the request. `decide` does not look at it. */
  deadline?: Deadline | undefined
}

export interface PayRequest extends Call {
  kind: 'pay'
  userId: number
  orderId: number
  now: Date
}

export interface CheckoutRequest extends Call, orders.PlaceCall {
  kind: 'checkout'
}

export type Decision = { kind: 'paid'; paid: PaidOrder } | { kind: 'refused'; refusal: Refusal }

type OwnedOrder = Order & { userId: number }

/**
 * The rows that a batch has read. Wallets, stock and the orders to pay are locked. A row that the requests name and that is
 * missing here does not exist.
 */
export interface SettlementState {
  /** By user id. A removed user has no wallet here. */
  wallets: ReadonlyMap<number, Wallet>
  orders: ReadonlyMap<number, OwnedOrder>
  /** Order ids by `checkoutKey`. */
  orderIdsByKey: ReadonlyMap<string, number>
  /** By order id, of the orders that were paid before. */
  payments: ReadonlyMap<number, Pick<PaidOrder, 'payment' | 'balance'>>
  /** By product id. A removed product has no offer. */
  offers: ReadonlyMap<number, offers.Offer>
  /** By product id. */
  stock: ReadonlyMap<number, number>
  placeholderIds: PlaceholderOrderIds
}

/** The rows that one payment writes. */
export interface PaymentWrite {
  userId: number
  walletId: number
  /** As it is after the payment. */
  order: Order
  /** The key of an order that is placed and paid in one step; undefined for an order that exists. */
  idempotencyKey: string | undefined
  balance: number
  items: stock.SoldLine[]
  paidAt: Date
  /** The trace context of the request that is paid. */
  traceparent: string | undefined
}

export interface Decided {
  /** One for each request, in their order. */
  decisions: Decision[]
  /** What the batch writes, in the order in which the payments happened. */
  writes: PaymentWrite[]
  /** The state after the batch. */
  state: SettlementState
}

/** What identifies the order of a checkout. */
export function checkoutKey({ userId, idempotencyKey }: { userId: number; idempotencyKey: string }): string {
  return `${userId} ${idempotencyKey.toLowerCase()}`
}

/**
 * Decides requests in the order of their arrival: a payment or a refusal for each, and the rows to write. The function is
 * pure: it does no I/O, reads no clock, and leaves `state` unchanged.
 *
 * Deciding n requests as one batch equals deciding them one by one, each on the state that the one before it left.
 */
export function decide(requests: readonly SettlementRequest[], state: SettlementState): Decided {
  const draft = new SettlementDraft(state)
  const decisions = requests.map((request): Decision => {
    try {
      return { kind: 'paid', paid: request.kind === 'pay' ? draft.pay(request) : draft.checkout(request) }
    } catch (error) {
      if (error instanceof Refusal) return { kind: 'refused', refusal: error }
      throw error
    }
  })
  return { decisions, writes: draft.writes, state: draft }
}

/** The state while the requests of a batch change it. */
class SettlementDraft implements SettlementState {
  readonly wallets: Map<number, Wallet>
  readonly orders: Map<number, OwnedOrder>
  readonly orderIdsByKey: Map<string, number>
  readonly payments: Map<number, Pick<PaidOrder, 'payment' | 'balance'>>
  readonly offers: ReadonlyMap<number, offers.Offer>
  readonly stock: Map<number, number>
  readonly placeholderIds: PlaceholderOrderIds
  readonly writes: PaymentWrite[] = []

  constructor(state: SettlementState) {
    this.wallets = new Map(state.wallets)
    this.orders = new Map(state.orders)
    this.orderIdsByKey = new Map(state.orderIdsByKey)
    this.payments = new Map(state.payments)
    this.offers = state.offers
    this.stock = new Map(state.stock)
    this.placeholderIds = new PlaceholderOrderIds(state.placeholderIds)
  }

  /** @throws Refusal user_not_found, order_not_found, order_not_payable, points_insufficient, stock_insufficient */
  pay({ userId, orderId, now, traceparent }: PayRequest): PaidOrder {
    const wallet = this.#requireWallet(userId)
    const order = this.orders.get(orderId)
    if (order?.userId !== userId) throw new Refusal('order_not_found', { orderId })
    if (order.status === 'paid') return this.#replay(order)
    if (order.status !== 'pending') throw new Refusal('order_not_payable', { status: order.status })
    // The clock of the server that placed the order may be ahead of this server's clock.
    const paidAt = now < order.createdAt ? order.createdAt : now
    const sale = { userId, wallet, now: paidAt, total: order.totalPrice, items: order.items, traceparent }
    return this.#sell(sale, () => order)
  }

  /**
   * @throws Refusal user_not_found, idempotency_key_reused, product_not_found, price_changed, points_insufficient,
   * stock_insufficient
   */
  checkout(request: CheckoutRequest): PaidOrder {
    const { userId, idempotencyKey, now, traceparent } = request
    const wallet = this.#requireWallet(userId)
    const earlierId = this.orderIdsByKey.get(checkoutKey(request))
    const earlier = earlierId === undefined ? undefined : this.orders.get(earlierId)
    if (earlier) {
      // A key names one order. An order that was placed with this key and never paid is not paid by a checkout.
      if (!earlier.paidAt || !orders.hasSameItems(earlier, request.items)) throw new Refusal('idempotency_key_reused')
      return this.#replay(earlier)
    }
    const priced = orders.priceOrder(offers.quote(this.offers, request.items))
    const { items, totalPrice: total } = priced
    const sale = { userId, wallet, now, total, items, idempotencyKey, traceparent }
    return this.#sell(sale, () => {
      const id = this.placeholderIds.next()
      this.orderIdsByKey.set(checkoutKey(request), id)
      return { id, ...priced, status: 'pending', createdAt: now, paidAt: null }
    })
  }

  #requireWallet(userId: number): Wallet {
    const wallet = this.wallets.get(userId)
    if (!wallet) throw new Refusal('user_not_found')
    return wallet
  }

  #replay(order: Order): PaidOrder {
    const earlier = this.payments.get(order.id)
    if (!earlier) throw new Error(`Order ${order.id} is paid, but its payment was not found.`)
    return { order, ...earlier, replayed: true }
  }

  /** Takes points and stock, if there are enough of both, for the order that `pendingOrder` gives. */
  #sell(
    sale: {
      userId: number
      wallet: Wallet
      now: Date
      total: number
      items: stock.Line[]
      idempotencyKey?: string
      traceparent: string | undefined
    },
    pendingOrder: () => Order,
  ): PaidOrder {
    const { userId, wallet, now, total } = sale
    if (wallet.balance < total) {
      throw new Refusal('points_insufficient', { required: total, balance: wallet.balance })
    }
    const items = stock.deductStock(this.stock, sale.items)
    const balance = wallet.balance - total
    const order: Order = { ...pendingOrder(), status: 'paid', paidAt: now }
    const payment = { orderId: order.id, amount: total, paidAt: now }

    this.wallets.set(userId, { ...wallet, balance })
    for (const { productId, stock } of items) this.stock.set(productId, stock)
    this.orders.set(order.id, { ...order, userId })
    this.payments.set(order.id, { payment, balance })
    const { idempotencyKey, traceparent } = sale
    this.writes.push({ userId, walletId: wallet.id, order, idempotencyKey, balance, items, paidAt: now, traceparent })
    return { order, payment, balance, replayed: false }
  }
}
