import { connect } from '@pointwise/db'
import { createCaller } from '@pointwise/server'
import { expect, it } from 'vitest'
import { openFaultyShop } from '../faults/faulty-shop.ts'
import { eventually } from '../setup/eventually.ts'
import { lockWaits } from '../setup/queued-calls.ts'
import { type Caller, item, newKey, PATIENT_LOCKS } from '../setup/shop.ts'

/** What happens while the COMMIT of the first attempt is under way. Afterwards, a new order of the same items is refused. */
const CHANGES: [refusal: string, change: (admin: Caller, productId: number) => Promise<unknown>][] = [
  ['price_changed', (admin, productId) => admin.products.update({ productId, price: 101 })],
  ['product_not_found', (admin, productId) => admin.products.remove({ productId })],
  ['stock_insufficient', (admin, productId) => admin.products.restock({ productId, quantity: -10 })],
]

it.each(CHANGES)(
  'orders.place that is repeated at another server while its first COMMIT is under way waits for it, and is not refused: %s',
  async (refusal, change) => {
    await using faulty = await openFaultyShop()
    const { shop, proxy, direct } = faulty
    const product = await shop.givenProduct({ price: 100, stock: 10 })
    const { id: userId } = await shop.givenUser()
    await using other = {
      db: connect(shop.databaseUrl, PATIENT_LOCKS),
      [Symbol.asyncDispose]: () => other.db.destroy(),
    }
    const user = createCaller({ db: other.db, userId })
    const call = { items: [item(product, 2)], idempotencyKey: newKey() }

    const commit = Promise.withResolvers<void>()
    const delayed = proxy.inject({ until: commit.promise }, /^commit$/)
    const first = shop.asUser(userId).orders.place(call)
    await eventually(delayed).toBe(1)
    await change(createCaller({ db: other.db, admin: true }), product.id)
    const second = user.orders.place(call)
    await eventually(() => lockWaits(direct)).toBe(1)
    commit.resolve()

    const { id } = await first
    expect(await second).toMatchObject({ id, replayed: true, totalPrice: 200 })
    await expect(user.orders.place({ ...call, idempotencyKey: newKey() })).rejects.toMatchObject({
      cause: { refusal: { code: refusal } },
    })
  },
)
