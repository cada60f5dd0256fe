import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { SubscriptionHub } from '../../server/src/subscriptions/hub.ts'
import { post } from '../setup/raw-http.ts'
import { item } from '../setup/shop.ts'
import { MUTATIONS, type Stocked, stocked, tokenFor } from './calls.ts'
import { type FaultyShop, openFaultyShop } from './faulty-shop.ts'

const COMMIT = /^commit$/
const HOUR_S = 3_600

let faulty: FaultyShop
let given: Stocked
beforeAll(async () => {
  faulty = await openFaultyShop({ config: { rankingsTtlSeconds: HOUR_S }, userExistenceTtlSeconds: HOUR_S })
  given = await stocked(faulty.shop)
})
afterAll(() => faulty[Symbol.asyncDispose]())
afterEach(() => faulty.proxy.clear())

/** Makes a call whose outcome is unknown, because the connection is lost at COMMIT. */
async function postWithLostCommit(when: 'before' | 'after', path: string, input: object): Promise<void> {
  faulty.proxy.inject(`disconnect ${when}`, COMMIT)
  const { text } = await post(faulty.shop, path, { input, token: given.admin })
  expect(JSON.parse(text).error.json.data).toMatchObject({ outcome: 'unknown', refusal: null })
}

/** `counted`: how many more products are counted after the COMMIT had its effect. */
describe.each([
  ['before', 0],
  ['after', 1],
] as const)('A connection that is lost at COMMIT, %s the database has received it', (when, effects) => {
  const count = async () => (await faulty.shop.client().products.list.query()).totalItems

  it('does not leave a product that was created out of the cached count', async () => {
    const before = await count()
    const { storeId } = given.product
    await postWithLostCommit(when, 'products.create', { storeId, name: 'Pot', price: 1, stock: 1 })
    expect(await count()).toBe(before + effects)
  })

  it('does not leave a product that was removed in the cached count', async () => {
    const { id: productId } = await faulty.shop.givenProduct({ storeId: given.product.storeId })
    const admin = faulty.shop.client({ token: given.admin })
    const { storeId } = given.product
    await admin.products.create.mutate({ storeId, name: 'Pan', price: 1, stock: 1 })
    const before = await count()
    await postWithLostCommit(when, 'products.remove', { productId })
    expect(await count()).toBe(before - effects)
  })

  it('does not leave a user who was removed among the cached users', async () => {
    const { id: userId, client } = await faulty.shop.givenUser()
    await client.users.me.query()
    await postWithLostCommit(when, 'users.remove', { userId })
    const order = () => client.orders.place.mutate({ items: [item(given.product)] })
    if (effects === 0) await order()
    else await expect(order()).rejects.toMatchObject({ data: { refusal: { code: 'user_not_found' } } })
  })
})

describe('The subscriptions of a server look for new events', () => {
  const UNKNOWN = MUTATIONS.filter(({ readsBack }) => !readsBack)

  it.each(UNKNOWN)('after $path had an unknown outcome', async (call) => {
    const input = await call.given(given)
    using wake = vi.spyOn(SubscriptionHub.prototype, 'wake')
    faulty.proxy.inject('disconnect after', COMMIT)
    const { status } = await post(faulty.shop, call.path, {
      input,
      token: tokenFor(call, given),
    })
    expect({ status, wakes: wake.mock.calls.length }).toEqual({ status: 500, wakes: 1 })
  })

  it('not after a mutation that was refused', async () => {
    using wake = vi.spyOn(SubscriptionHub.prototype, 'wake')
    await post(faulty.shop, 'products.remove', { input: { productId: 999_999 }, token: given.admin })
    expect(wake).not.toHaveBeenCalled()
  })
})
