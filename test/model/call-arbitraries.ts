import fc from 'fast-check'
import { type Call, MISSING_ORDER, PRODUCTS, type ShopState, USERS } from './shop-state.ts'

export interface CallContext {
  state: ShopState
  /** The previous calls. Their number is the next idempotency key. */
  calls: Call[]
}

/**
 * Creates a call when the scenario reaches it, because the order that it names, or the call that it repeats, depends on
 * the previous calls. Returns undefined if there is no such order or call.
 */
export type CallFactory = (context: CallContext) => Call | undefined

const weighted = <T>(weight: number, arbitrary: fc.Arbitrary<T>) => ({ weight, arbitrary })
const rarely = <T>(usual: T, rare: T) => fc.oneof(weighted(12, fc.constant(usual)), weighted(1, fc.constant(rare)))

const user = fc.constantFrom(...USERS)
const product = fc.constantFrom(...PRODUCTS)
const price = fc.integer({ min: 0, max: 3 })
/** A position in a list, counted from its end. */
const offset = fc.nat(4)
const items = fc.uniqueArray(
  fc.record({
    product,
    quantity: fc.oneof(weighted(2, fc.constant(1)), weighted(1, fc.integer({ min: 1, max: 3 }))),
    /** The difference between the price in the call and the current price. */
    priceDifference: rarely(0, 1),
  }),
  { minLength: 1, maxLength: 2, selector: (item) => item.product },
)

const charge = fc.record({ user, amount: fc.constantFrom(1, 2, 5, 10, 999_990) }).map(
  ({ user, amount }): CallFactory =>
    ({ calls }) => ({ type: 'charge', user, amount, key: calls.length }),
)

const placeOrCheckout = fc.record({ type: fc.constantFrom('place' as const, 'checkout' as const), user, items }).map(
  ({ type, user, items }): CallFactory =>
    ({ state, calls }) => ({
      type,
      user,
      items: items.map(({ product, quantity, priceDifference }) => ({
        product,
        quantity,
        price: state.products[product].price + priceDifference,
      })),
      key: calls.length,
    }),
)

/** A call for one of the latest orders; rarely for a missing order, or by a user who does not own the order. */
const orderCall = fc
  .record({
    type: fc.constantFrom('pay' as const, 'pay' as const, 'cancel' as const, 'refund' as const),
    offset,
    exists: rarely(true, false),
    isOwner: rarely(true, false),
  })
  .map(
    ({ type, offset, exists, isOwner }): CallFactory =>
      ({ state }) => {
        const [name, order] = Object.entries(state.orders).at(-1 - (offset % Object.keys(state.orders).length)) ?? []
        if (!name || !order) return undefined
        const named = exists ? name : MISSING_ORDER
        if (type === 'refund') return { type, order: named }
        return { type, user: USERS.find((user) => (user === order.user) === isOwner) ?? order.user, order: named }
      },
  )

const restock = fc.record({ product, quantity: fc.constantFrom(1, 3, -1, -2) }).map(
  ({ product, quantity }): CallFactory =>
    ({ calls }) => ({ type: 'restock', product, quantity, key: calls.length }),
)

const reprice = fc.record({ product, price }).map(
  ({ product, price }): CallFactory =>
    () => ({ type: 'reprice', product, price }),
)

const remove = product.map(
  (product): CallFactory =>
    () => ({ type: 'remove', product }),
)

const read = fc.oneof(
  user.map(
    (user): CallFactory =>
      () => ({ type: 'get balance', user }),
  ),
  product.map(
    (product): CallFactory =>
      () => ({ type: 'get product', product }),
  ),
)

/** Repeats one of the latest calls: unchanged, or with a different quantity or procedure under the same key. */
const repeat = fc
  .record({
    offset,
    change: fc.constantFrom('none' as const, 'none' as const, 'quantity' as const, 'procedure' as const),
  })
  .map(
    ({ offset, change }): CallFactory =>
      ({ calls }) => {
        const earlier = calls.at(-1 - (offset % calls.length))
        if (!earlier || change === 'none') return earlier
        return change === 'quantity' ? withHigherQuantity(earlier) : withOtherProcedure(earlier)
      },
  )

function withHigherQuantity(call: Call): Call {
  if (call.type === 'charge') return { ...call, amount: call.amount + 1 }
  if (call.type === 'restock') return { ...call, quantity: call.quantity === -1 ? 1 : call.quantity + 1 }
  if (!('items' in call)) return call
  return { ...call, items: call.items.map((item) => ({ ...item, quantity: item.quantity + 1 })) }
}

function withOtherProcedure(call: Call): Call {
  if (call.type === 'place') return { ...call, type: 'checkout' }
  return call.type === 'checkout' ? { ...call, type: 'place' } : call
}

export const callFactory: fc.Arbitrary<CallFactory> = fc.oneof(
  weighted(8, placeOrCheckout),
  weighted(9, orderCall),
  weighted(3, charge),
  weighted(5, repeat),
  weighted(3, restock),
  weighted(2, reprice),
  weighted(1, remove),
  weighted(2, read),
)

const repeatLast: CallFactory = ({ calls }) => calls.at(-1)

/** Two concurrent calls, which are rarely the same call twice. */
export const callFactoryPair = fc.tuple(
  callFactory,
  fc.oneof(weighted(3, callFactory), weighted(1, fc.constant(repeatLast))),
)

/** A shop without orders. Balances are next to a limit, stock is small and prices are low, so that limits are reached. */
export const initialState: fc.Arbitrary<ShopState> = fc
  .record({
    balances: fc.record({ Ada: fc.constantFrom(0, 9, 999_995), Ben: fc.constantFrom(0, 9, 999_995) }),
    products: fc.tuple(...PRODUCTS.map(() => fc.record({ price, stock: fc.nat(6) }))),
  })
  .map(({ balances, products: [tea, mug, cup] }) => ({
    balances: { ...balances },
    products: { tea: unsold(tea), mug: unsold(mug), cup: unsold(cup) },
    orders: {},
    charges: {},
    restocks: {},
  }))

const unsold = (product = { price: 0, stock: 0 }) => ({ ...product, sold: 0, removed: false })
