import { describe, expect, it } from 'vitest'
import { expectInvalid, expectRefused } from '../setup/refusals.ts'
import { type Client, item, openShop, type Product } from '../setup/shop.ts'

const idsOf = ({ items }: { items: { id: number }[] }) => items.map(({ id }) => id)

async function givenOrders(client: Client, product: Product, count: number): Promise<number[]> {
  const ids: number[] = []
  for (let n = 1; n <= count; n++) ids.unshift((await client.orders.place.mutate({ items: [item(product)] })).id)
  return ids
}

describe('orders.list', () => {
  it("lists a user's orders, newest first, equal to what orders.get returns", async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser({ points: 1_000 })
    const [tea, rice] = [await shop.givenProduct(), await shop.givenProduct()]
    const { order: first } = await client.orders.checkout.mutate({ items: [item(tea, 2), item(rice)] })
    const { replayed, ...second } = await client.orders.place.mutate({ items: [item(tea)] })

    expect(await client.orders.list.query()).toEqual({ items: [second, first], nextCursor: null })
  })

  it('refuses token_missing', async () => {
    await using shop = await openShop()
    await expectRefused(shop, () => shop.client().orders.list.query(), 401, { code: 'token_missing' })
  })

  it('lists no orders of other users', async () => {
    await using shop = await openShop()
    const [alice, bob] = [await shop.givenUser(), await shop.givenUser()]
    const product = await shop.givenProduct()
    await givenOrders(alice.client, product, 1)
    const bobs = await givenOrders(bob.client, product, 1)
    await givenOrders(alice.client, product, 1)

    expect(idsOf(await bob.client.orders.list.query({}))).toEqual(bobs)
  })

  it('lists the orders of one status', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser({ points: 1_000 })
    const product = await shop.givenProduct()
    const [refunded = 0, paid = 0, cancelled = 0, pending = 0] = (await givenOrders(client, product, 4)).toReversed()
    await client.payments.pay.mutate({ orderId: refunded })
    await client.payments.pay.mutate({ orderId: paid })
    await client.orders.cancel.mutate({ orderId: cancelled })
    await shop.asAdmin().payments.refund({ orderId: refunded })

    for (const [status, id] of Object.entries({ refunded, paid, cancelled, pending })) {
      const page = await client.orders.list.query({ status: status as 'paid' })
      expect(page).toMatchObject({ items: [{ id, status }], nextCursor: null })
    }
  })

  it('returns pages without gaps and without duplicates', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()
    const product = await shop.givenProduct()
    const ids = await givenOrders(client, product, 5)

    const first = await client.orders.list.query({ limit: 2, status: 'pending' })
    await givenOrders(client, product, 1)
    const second = await client.orders.list.query({ limit: 2, status: 'pending', cursor: first.nextCursor ?? '' })
    const third = await client.orders.list.query({ limit: 2, status: 'pending', cursor: second.nextCursor ?? '' })

    expect([first, second, third].flatMap(idsOf)).toEqual(ids)
    expect(third.nextCursor).toBeNull()
  })

  it('returns 20 orders per page by default and at most 50', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()
    await givenOrders(client, await shop.givenProduct(), 51)

    expect((await client.orders.list.query()).items).toHaveLength(20)
    expect((await client.orders.list.query({ limit: 50 })).items).toHaveLength(50)
    await expectInvalid(shop, () => client.orders.list.query({ limit: 51 }))
  })

  it('is empty for a user without orders', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()

    expect(await client.orders.list.query()).toEqual({ items: [], nextCursor: null })
  })

  it('rejects an unknown status and a malformed cursor as invalid', async () => {
    await using shop = await openShop()
    const { client } = await shop.givenUser()

    await expectInvalid(shop, () => client.orders.list.query({ status: 'shipped' as 'paid' }))
    await expectInvalid(shop, () => client.orders.list.query({ cursor: 'x' }))
  })
})
