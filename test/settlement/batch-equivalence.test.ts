import { describe, expect, it } from 'vitest'
import {
  decide,
  keyOf,
  type Settled,
  type SettlementRequest,
  type SettlementState,
} from '../../server/src/payments/settlement/decide.ts'
import { Refusal } from '../../server/src/refusals.ts'
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

/** Few users, products, orders and keys, so that the requests of a batch meet. */
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

const books: fc.Arbitrary<SettlementState> = fc
  .record({
    balances: fc.tuple(small, small, small),
    stock: fc.tuple(small, small, small),
    prices: fc.tuple(...PRODUCTS.map(() => fc.integer({ min: 1, max: 2 }))),
    orders: fc.tuple(
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
  .map(({ balances, stock, prices, orders }) => {
    const composed = orders.map(({ id, userId, status, lines }) => {
      const sold = lines.map((line) => ({ ...line, productName: 'x', amount: line.price * line.quantity }))
      return {
        id,
        userId,
        status,
        items: sold,
        totalPrice: sold.reduce((sum, { amount }) => sum + amount, 0),
        createdAt: NOW,
        paidAt: status === 'paid' || status === 'refunded' ? NOW : null,
      }
    })
    let lastId = 100
    return {
      wallets: new Map(USERS.map((id, index) => [id, { id: id + 10, balance: balances[index] ?? 0 }])),
      orders: new Map(composed.map((order) => [order.id, order])),
      orderIds: new Map(
        orders.flatMap(({ id, userId, key }) => (key ? [[keyOf({ userId, idempotencyKey: key }), id]] : [])),
      ),
      payments: new Map(
        composed.flatMap(({ id, totalPrice, paidAt }) =>
          paidAt ? [[id, { payment: { orderId: id, amount: totalPrice, paidAt }, balance: 5 }]] : [],
        ),
      ),
      offers: new Map(PRODUCTS.map((id, index) => [id, { id, name: `product ${id}`, price: prices[index] ?? 1 }])),
      stock: new Map(PRODUCTS.map((id, index) => [id, stock[index] ?? 0])),
      newOrderId: () => ++lastId,
    } satisfies SettlementState
  })

/** Books that count new orders from the same id, so that two runs can be compared. */
function fresh(books: SettlementState): SettlementState {
  let lastId = 100
  return { ...books, newOrderId: () => ++lastId }
}

const seen = ({ outcomes, sales, books: { wallets, orders, orderIds, payments, stock } }: Settled) => ({
  outcomes: outcomes.map((outcome) => (outcome instanceof Refusal ? outcome.refusal : outcome)),
  sales,
  after: { wallets, orders, orderIds, payments, stock },
})

function oneByOne(requests: SettlementRequest[], books: SettlementState): Settled {
  return requests.reduce<Settled>(
    (before, request) => {
      const { outcomes, sales, books } = decide([request], before.books)
      return { outcomes: [...before.outcomes, ...outcomes], sales: [...before.sales, ...sales], books }
    },
    { outcomes: [], sales: [], books },
  )
}

const batches = fc.array(request, { minLength: 1, maxLength: 12 })

describe('settle', () => {
  it('settles a batch as it settles its requests one by one', () => {
    fc.assert(
      fc.property(books, batches, (books, requests) => {
        expect(seen(decide(requests, fresh(books)))).toEqual(seen(oneByOne(requests, fresh(books))))
      }),
      { numRuns: 2_000 },
    )
  })

  it('takes nothing that is not there, and nothing twice', () => {
    fc.assert(
      fc.property(books, batches, (books, requests) => {
        const { sales, books: after } = decide(requests, fresh(books))
        for (const { balance } of after.wallets.values()) expect(balance).toBeGreaterThanOrEqual(0)
        for (const left of after.stock.values()) expect(left).toBeGreaterThanOrEqual(0)
        for (const [product, left] of after.stock) {
          const sold = sales.flatMap(({ items }) => items.filter(({ productId }) => productId === product))
          expect((books.stock.get(product) ?? 0) - left).toBe(sold.reduce((sum, { quantity }) => sum + quantity, 0))
        }
        for (const [user, { balance }] of after.wallets) {
          const spent = sales
            .filter(({ userId }) => userId === user)
            .reduce((sum, sale) => sum + sale.payment.amount, 0)
          expect((books.wallets.get(user)?.balance ?? 0) - balance).toBe(spent)
        }
        const paid = sales.map(({ order }) => order.id)
        expect(new Set(paid).size).toBe(paid.length)
      }),
      { numRuns: 2_000 },
    )
  })

  it('tells nobody of the order of somebody else, who may pay it in the same batch', () => {
    fc.assert(
      fc.property(books, batches, (books, requests) => {
        const { outcomes } = decide(requests, fresh(books))
        for (const [index, request] of requests.entries()) {
          const outcome = outcomes[index]
          const owner = request.kind === 'pay' ? books.orders.get(request.orderId)?.userId : request.userId
          if (owner === request.userId || request.userId === REMOVED_USER) continue
          expect(outcome).toMatchObject({ refusal: { code: 'order_not_found' } })
        }
      }),
      { numRuns: 500 },
    )
  })

  it('leaves the books it is given as they are', () => {
    fc.assert(
      fc.property(books, batches, (books, requests) => {
        const before = structuredClone({ ...books, newOrderId: undefined })
        decide(requests, fresh(books))
        expect(structuredClone({ ...books, newOrderId: undefined })).toEqual(before)
      }),
    )
  })

  it('refuses each rule’s breach by its code', () => {
    const codes = new Set<string>()
    fc.assert(
      fc.property(books, batches, (books, requests) => {
        for (const outcome of decide(requests, fresh(books)).outcomes) {
          codes.add(outcome instanceof Refusal ? outcome.refusal.code : `paid${outcome.replayed ? ' before' : ''}`)
        }
      }),
      { numRuns: 2_000 },
    )
    expect([...codes].toSorted()).toEqual([
      'idempotency_key_reused',
      'order_not_found',
      'order_not_payable',
      'paid',
      'paid before',
      'points_insufficient',
      'price_changed',
      'product_not_found',
      'stock_insufficient',
      'user_not_found',
    ])
  })
})
