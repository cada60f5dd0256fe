import { describe, expect, it } from 'vitest'
import {
  checkoutKey,
  type Decided,
  type Decision,
  decide,
  type SettlementRequest,
  type SettlementState,
} from '../../server/src/payments/settlement/decide.ts'
import { PlaceholderOrderIds } from '../../server/src/payments/settlement/placeholder-order-ids.ts'
import { fc } from '../setup/properties.ts'

const USERS = [1, 2, 3]
const REMOVED_USER = 4
const PRODUCTS = [1, 2, 3]
const UNKNOWN_PRODUCT = 9
const ORDERS = [1, 2, 3, 4, 5]
const KEYS = ['a', 'b', 'c', 'd']
const NOW = new Date('2026-03-01T08:00:00Z')

const small = fc.integer({ min: 0, max: 6 })
const userId = fc.constantFrom(...USERS, REMOVED_USER)
const items = fc.uniqueArray(
  fc.record({
    productId: fc.constantFrom(...PRODUCTS, UNKNOWN_PRODUCT),
    quantity: fc.integer({ min: 1, max: 3 }),
    price: fc.integer({ min: 1, max: 3 }),
  }),
  { minLength: 1, maxLength: 3, selector: ({ productId }) => productId },
)

/** There are few users, products, orders and keys, so that the requests of a batch share rows. */
const request: fc.Arbitrary<SettlementRequest> = fc.oneof(
  fc.record({
    kind: fc.constant('pay' as const),
    userId,
    orderId: fc.constantFrom(...ORDERS, 99),
    now: fc.constant(NOW),
  }),
  fc.record({
    kind: fc.constant('checkout' as const),
    userId,
    items,
    idempotencyKey: fc.constantFrom(...KEYS),
    now: fc.constant(NOW),
  }),
)

const states: fc.Arbitrary<SettlementState> = fc
  .record({
    balances: fc.tuple(small, small, small),
    stock: fc.tuple(small, small, small),
    prices: fc.tuple(...PRODUCTS.map(() => fc.integer({ min: 1, max: 2 }))),
    rows: fc.tuple(
      ...ORDERS.map((id) =>
        fc.record({
          id: fc.constant(id),
          userId: fc.constantFrom(...USERS),
          status: fc.constantFrom('pending', 'pending', 'paid', 'cancelled', 'refunded'),
          key: fc.option(fc.constantFrom(...KEYS)),
          lines: items,
        }),
      ),
    ),
  })
  .map(({ balances, stock, prices, rows }) => {
    const orders = rows.map(({ id, userId, status, lines }) => {
      const items = lines.map((line) => ({ ...line, productName: 'x', amount: line.price * line.quantity }))
      const totalPrice = items.reduce((sum, { amount }) => sum + amount, 0)
      const paidAt = status === 'paid' || status === 'refunded' ? NOW : null
      return { id, userId, status, items, totalPrice, createdAt: NOW, paidAt }
    })
    return {
      wallets: new Map(USERS.map((id, index) => [id, { id: id + 10, balance: balances[index] ?? 0 }])),
      orders: new Map(orders.map((order) => [order.id, order])),
      orderIdsByKey: new Map(
        rows.flatMap(({ id, userId, key }) => (key ? [[checkoutKey({ userId, idempotencyKey: key }), id]] : [])),
      ),
      payments: new Map(
        orders.flatMap(({ id, totalPrice, paidAt }) =>
          paidAt ? [[id, { payment: { orderId: id, amount: totalPrice, paidAt }, balance: 5 }]] : [],
        ),
      ),
      offers: new Map(PRODUCTS.map((id, index) => [id, { id, name: `product ${id}`, price: prices[index] ?? 1 }])),
      stock: new Map(PRODUCTS.map((id, index) => [id, stock[index] ?? 0])),
      placeholderIds: new PlaceholderOrderIds(),
    } satisfies SettlementState
  })

const comparable = ({ decisions, writes, state: { wallets, orders, orderIdsByKey, payments, stock } }: Decided) => ({
  decisions: decisions.map((decision) => (decision.kind === 'refused' ? decision.refusal.refusal : decision.paid)),
  writes,
  after: { wallets, orders, orderIdsByKey, payments, stock },
})

function oneByOne(requests: SettlementRequest[], state: SettlementState): Decided {
  return requests.reduce<Decided>(
    (before, request) => {
      const { decisions, writes, state } = decide([request], before.state)
      return { decisions: [...before.decisions, ...decisions], writes: [...before.writes, ...writes], state }
    },
    { decisions: [], writes: [], state },
  )
}

function codeOf(decision: Decision | undefined): string | undefined {
  if (decision?.kind === 'paid') return decision.paid.replayed ? 'replayed' : 'paid'
  return decision?.refusal.refusal.code
}

const batches = fc.array(request, { minLength: 1, maxLength: 12 })

describe('decide', () => {
  it('decides a batch exactly as it decides the requests one by one', () => {
    fc.assert(
      fc.property(states, batches, (state, requests) => {
        expect(comparable(decide(requests, state))).toEqual(comparable(oneByOne(requests, state)))
      }),
      { numRuns: 2_000 },
    )
  })

  it('takes no points and no stock that do not exist, and pays no order twice', () => {
    fc.assert(
      fc.property(states, batches, (state, requests) => {
        const { writes, state: after } = decide(requests, state)
        for (const { balance } of after.wallets.values()) expect(balance).toBeGreaterThanOrEqual(0)
        for (const stock of after.stock.values()) expect(stock).toBeGreaterThanOrEqual(0)
        for (const [product, stock] of after.stock) {
          const sold = writes.flatMap(({ items }) => items.filter(({ productId }) => productId === product))
          expect((state.stock.get(product) ?? 0) - stock).toBe(sold.reduce((sum, { quantity }) => sum + quantity, 0))
        }
        for (const [user, { balance }] of after.wallets) {
          const spent = writes
            .filter(({ userId }) => userId === user)
            .reduce((sum, { order }) => sum + order.totalPrice, 0)
          expect((state.wallets.get(user)?.balance ?? 0) - balance).toBe(spent)
        }
        const paid = writes.map(({ order }) => order.id)
        expect(new Set(paid).size).toBe(paid.length)
      }),
      { numRuns: 2_000 },
    )
  })

  it('refuses order_not_found for an order of another user, also when its owner pays it in the same batch', () => {
    fc.assert(
      fc.property(states, batches, (state, requests) => {
        const { decisions } = decide(requests, state)
        for (const [index, request] of requests.entries()) {
          const owner = request.kind === 'pay' ? state.orders.get(request.orderId)?.userId : request.userId
          if (owner === request.userId || request.userId === REMOVED_USER) continue
          expect(codeOf(decisions[index])).toBe('order_not_found')
        }
      }),
      { numRuns: 500 },
    )
  })

  it('leaves the state it is given unchanged', () => {
    fc.assert(
      fc.property(states, batches, (state, requests) => {
        const { placeholderIds, ...rows } = state
        const before = structuredClone(rows)
        decide(requests, state)
        expect(structuredClone(rows)).toEqual(before)
        expect(new PlaceholderOrderIds(placeholderIds).next()).toBe(-1)
      }),
    )
  })

  it('uses every refusal code of a payment and of a checkout', () => {
    const codes = new Set<string | undefined>()
    fc.assert(
      fc.property(states, batches, (state, requests) => {
        for (const decision of decide(requests, state).decisions) codes.add(codeOf(decision))
      }),
      { numRuns: 2_000 },
    )
    expect([...codes].toSorted()).toEqual([
      'idempotency_key_reused',
      'order_not_found',
      'order_not_payable',
      'paid',
      'points_insufficient',
      'price_changed',
      'product_not_found',
      'replayed',
      'stock_insufficient',
      'user_not_found',
    ])
  })
})
