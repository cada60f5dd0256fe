import fc from 'fast-check'
import { type Call, MISSING_ORDER, PRODUCTS, USERS, type World } from './world.ts'

/** What is known when the next call is chosen. */
export interface Known {
  world: World
  /** Every call so far; the next key is their number. */
  calls: Call[]
}

/**
 * A call that is chosen only when its turn comes, because which order it names, or which call it repeats, depends on
 * those before it. Undefined where there is none to name.
 */
export type Intent = (known: Known) => Call | undefined

const of = <T>(weight: number, arbitrary: fc.Arbitrary<T>) => ({ weight, arbitrary })
const rarely = <T>(usual: T, rare: T) => fc.oneof(of(12, fc.constant(usual)), of(1, fc.constant(rare)))

const user = fc.constantFrom(...USERS)
const product = fc.constantFrom(...PRODUCTS)
const price = fc.integer({ min: 0, max: 3 })
/** Counted from the latest. */
const back = fc.nat(4)
const items = fc.uniqueArray(
  fc.record({
    product,
    quantity: fc.oneof(of(2, fc.constant(1)), of(1, fc.integer({ min: 1, max: 3 }))),
    /** How far the price that the customer saw is from the price. */
    off: rarely(0, 1),
  }),
  { minLength: 1, maxLength: 2, selector: (item) => item.product },
)

const charge = fc.record({ user, amount: fc.constantFrom(1, 2, 5, 10, 999_990) }).map(
  ({ user, amount }): Intent =>
    ({ calls }) => ({ does: 'charge', user, amount, key: calls.length }),
)

const placing = fc.record({ does: fc.constantFrom('place' as const, 'checkout' as const), user, items }).map(
  ({ does, user, items }): Intent =>
    ({ world, calls }) => {
      const price = ({ product, off }: { product: keyof World['products']; off: number }) =>
        world.products[product].price + off
      const seen = items.map((item) => ({ product: item.product, quantity: item.quantity, price: price(item) }))
      return { does, user, items: seen, key: calls.length }
    },
)

/** Rarely an order that is not there, or a customer whose it is not. */
const ofOrder = fc
  .record({
    does: fc.constantFrom('pay' as const, 'pay' as const, 'cancel' as const, 'refund' as const),
    back,
    isThere: rarely(true, false),
    isTheirs: rarely(true, false),
  })
  .map(
    ({ does, back, isThere, isTheirs }): Intent =>
      ({ world }) => {
        const [name, order] = Object.entries(world.orders).at(-1 - (back % Object.keys(world.orders).length)) ?? []
        if (!name || !order) return undefined
        const called = isThere ? name : MISSING_ORDER
        if (does === 'refund') return { does, order: called }
        return { does, user: USERS.find((user) => (user === order.user) === isTheirs) ?? order.user, order: called }
      },
  )

const restock = fc.record({ product, quantity: fc.constantFrom(1, 3, -1, -2) }).map(
  ({ product, quantity }): Intent =>
    ({ calls }) => ({ does: 'restock', product, quantity, key: calls.length }),
)

const reprice = fc.record({ product, price }).map(
  ({ product, price }): Intent =>
    () => ({ does: 'reprice', product, price }),
)

const remove = product.map(
  (product): Intent =>
    () => ({ does: 'remove', product }),
)

const look = fc.oneof(
  user.map(
    (user): Intent =>
      () => ({ does: 'look at the balance', user }),
  ),
  product.map(
    (product): Intent =>
      () => ({ does: 'look at the product', product }),
  ),
)

/** An earlier call once more, as it was or with something else under the same key. */
const repeat = fc
  .record({ back, how: fc.constantFrom('same' as const, 'same' as const, 'more' as const, 'other way' as const) })
  .map(
    ({ back, how }): Intent =>
      ({ calls }) => {
        const earlier = calls.at(-1 - (back % calls.length))
        if (!earlier || how === 'same') return earlier
        return how === 'more' ? withMore(earlier) : otherWay(earlier)
      },
  )

function withMore(call: Call): Call {
  if (call.does === 'charge') return { ...call, amount: call.amount + 1 }
  if (call.does === 'restock') return { ...call, quantity: call.quantity === -1 ? 1 : call.quantity + 1 }
  if (!('items' in call)) return call
  return { ...call, items: call.items.map((item) => ({ ...item, quantity: item.quantity + 1 })) }
}

function otherWay(call: Call): Call {
  if (call.does === 'place') return { ...call, does: 'checkout' }
  return call.does === 'checkout' ? { ...call, does: 'place' } : call
}

export const intent: fc.Arbitrary<Intent> = fc.oneof(
  of(8, placing),
  of(9, ofOrder),
  of(3, charge),
  of(5, repeat),
  of(3, restock),
  of(2, reprice),
  of(1, remove),
  of(2, look),
)

const again: Intent = ({ calls }) => calls.at(-1)

/** Two calls at once, some of them the same. */
export const pair = fc.tuple(intent, fc.oneof(of(3, intent), of(1, fc.constant(again))))

/** A shop before its first call: balances next to a limit, few pieces, low prices. */
export const opening: fc.Arbitrary<World> = fc
  .record({
    balances: fc.record({ Ada: fc.constantFrom(0, 9, 999_995), Ben: fc.constantFrom(0, 9, 999_995) }),
    goods: fc.tuple(...PRODUCTS.map(() => fc.record({ price, stock: fc.nat(6) }))),
  })
  .map(({ balances, goods: [tea, mug, cup] }) => ({
    balances: { ...balances },
    products: { tea: unsold(tea), mug: unsold(mug), cup: unsold(cup) },
    orders: {},
    charges: {},
    restocks: {},
  }))

const unsold = (goods = { price: 0, stock: 0 }) => ({ ...goods, sold: 0, removed: false })
