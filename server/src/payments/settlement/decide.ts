import * as orders from '../../orders/service.ts'
import type { Wallet } from '../../points/service.ts'
import * as sales from '../../products/stock.ts'
import { Refusal } from '../../refusals.ts'

/** A call that waits to be settled; `now` is when it was made, and becomes the time of its payment. */
export type SettlementRequest = PayRequest | CheckoutRequest

export interface PayRequest {
  kind: 'pay'
  userId: number
  orderId: number
  now: Date
}

export interface CheckoutRequest extends orders.PlaceCall {
  kind: 'checkout'
}

export interface Payment {
  orderId: number
  amount: number
  paidAt: Date
}

export interface PaymentResult {
  order: orders.Order
  payment: Payment
  /** The wallet right after the payment, also when it is replayed. */
  balance: number
  replayed: boolean
}

/** The rows that requests name, locked. What is missing does not exist. */
export interface SettlementState {
  /** By user; a user who was removed has none. */
  wallets: ReadonlyMap<number, Wallet>
  orders: ReadonlyMap<number, orders.Order & { userId: number }>
  /** The orders that `keyOf` a checkout names. */
  orderIds: ReadonlyMap<string, number>
  /** Of the orders that were paid before. */
  payments: ReadonlyMap<number, Pick<PaymentResult, 'payment' | 'balance'>>
  offers: ReadonlyMap<number, sales.Offer>
  stock: ReadonlyMap<number, number>
  /** Ids for new orders, in the order in which they are inserted. */
  newOrderId: () => number
}

/** What one payment changes. */
export interface PaymentWrite {
  userId: number
  walletId: number
  /** As it is now: paid. */
  order: orders.Order
  /** Of an order that is placed and paid in one step. */
  placedWith: string | undefined
  payment: Payment
  balance: number
  items: sales.SoldLine[]
}

export interface Settled {
  /** Of each request, in their order. */
  outcomes: (PaymentResult | Refusal)[]
  /** What there is to write, in the order in which it happened. */
  sales: PaymentWrite[]
  /** The books after it. */
  books: SettlementState
}

export function keyOf({ userId, idempotencyKey }: { userId: number; idempotencyKey: string }): string {
  return `${userId} ${idempotencyKey.toLowerCase()}`
}

/**
 * Settles requests in the order of their arrival. It is pure: no I/O, no clock, and the books it is given stay as they
 * are. Its law: settling n requests as one batch equals settling them one by one, each on the books the last one left.
 */
export function decide(requests: readonly SettlementRequest[], books: SettlementState): Settled {
  const ledger = new SettlementDraft(books)
  const outcomes = requests.map((request) => {
    try {
      return request.kind === 'pay' ? ledger.pay(request) : ledger.checkout(request)
    } catch (error) {
      if (error instanceof Refusal) return error
      throw error
    }
  })
  return { outcomes, sales: ledger.sales, books: ledger }
}

/** The books while they are being written. */
class SettlementDraft implements SettlementState {
  readonly wallets: Map<number, Wallet>
  readonly orders: Map<number, orders.Order & { userId: number }>
  readonly orderIds: Map<string, number>
  readonly payments: Map<number, Pick<PaymentResult, 'payment' | 'balance'>>
  readonly offers: ReadonlyMap<number, sales.Offer>
  readonly stock: Map<number, number>
  readonly newOrderId: () => number
  readonly sales: PaymentWrite[] = []

  constructor(books: SettlementState) {
    this.wallets = new Map(books.wallets)
    this.orders = new Map(books.orders)
    this.orderIds = new Map(books.orderIds)
    this.payments = new Map(books.payments)
    this.offers = books.offers
    this.stock = new Map(books.stock)
    this.newOrderId = books.newOrderId
  }

  /** @throws Refusal user_not_found, order_not_found, order_not_payable, points_insufficient, stock_insufficient */
  pay({ userId, orderId, now }: PayRequest): PaymentResult {
    const wallet = this.#walletOf(userId)
    const order = this.orders.get(orderId)
    if (order?.userId !== userId) throw new Refusal('order_not_found', { orderId })
    if (order.status === 'paid') return this.#replay(order)
    if (order.status !== 'pending') throw new Refusal('order_not_payable', { status: order.status })
    return this.#sell({ userId, wallet, order, placedWith: undefined, now })
  }

  /**
   * @throws Refusal user_not_found, idempotency_key_reused, product_not_found, price_changed, points_insufficient,
   * stock_insufficient
   */
  checkout(request: CheckoutRequest): PaymentResult {
    const { userId, items, idempotencyKey, now } = request
    const wallet = this.#walletOf(userId)
    const earlier = this.orders.get(this.orderIds.get(keyOf(request)) ?? 0)
    if (earlier) {
      // A key names one row: an order that was placed with it and never paid is not ours to pay.
      if (!earlier.paidAt || !orders.hasSameItems(earlier, items)) throw new Refusal('idempotency_key_reused')
      return this.#replay(earlier)
    }
    const draft = orders.priceOrder(sales.quote(this.offers, items))
    const order = { ...draft, id: 0, status: 'pending', createdAt: now, paidAt: null } as const
    return this.#sell({ userId, wallet, order, placedWith: idempotencyKey, now })
  }

  #walletOf(userId: number): Wallet {
    const wallet = this.wallets.get(userId)
    if (!wallet) throw new Refusal('user_not_found')
    return wallet
  }

  #replay(order: orders.Order): PaymentResult {
    const earlier = this.payments.get(order.id)
    if (!earlier) throw new Error(`Order ${order.id} is paid, and its payment was not found.`)
    return { order, ...earlier, replayed: true }
  }

  #sell(call: {
    userId: number
    wallet: Wallet
    order: orders.Order
    placedWith: string | undefined
    now: Date
  }): PaymentResult {
    const { userId, wallet, placedWith, now } = call
    const amount = call.order.totalPrice
    if (wallet.balance < amount) {
      throw new Refusal('points_insufficient', { required: amount, balance: wallet.balance })
    }
    const items = sales.deductStock(this.stock, call.order.items)
    const orderId = placedWith === undefined ? call.order.id : this.newOrderId()
    const balance = wallet.balance - amount
    const order = { ...call.order, id: orderId, status: 'paid', paidAt: now } as const
    const payment = { orderId, amount, paidAt: now }

    this.wallets.set(userId, { ...wallet, balance })
    for (const { productId, stock } of items) this.stock.set(productId, stock)
    this.orders.set(orderId, { ...order, userId })
    if (placedWith !== undefined) this.orderIds.set(keyOf({ userId, idempotencyKey: placedWith }), orderId)
    this.payments.set(orderId, { payment, balance })
    this.sales.push({ userId, walletId: wallet.id, order, placedWith, payment, balance, items })
    return { order, payment, balance, replayed: false }
  }
}
