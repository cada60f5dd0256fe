import { describe, expect, it } from 'vitest'
import { clockAt } from '../setup/clock.ts'
import { type GivenUser, item, openShop, type Product } from '../setup/shop.ts'

const NOON = '2026-03-10T12:00:00.000Z'
const LATER_THAT_HOUR = '2026-03-10T12:59:59.999Z'
const THREE_DAYS_BEFORE = '2026-03-07T12:00:00.000Z'
const JUST_BEFORE_THAT = '2026-03-07T11:59:59.999Z'

async function openAt(time: string) {
  const clock = clockAt(time)
  const shop = await openShop({ now: clock.now })
  const buyer = await shop.givenUser()
  const given = (count: number) => Promise.all(Array.from({ length: count }, () => shop.givenProduct({ price: 0 })))
  return { clock, shop, buyer, given, trending: () => shop.client().products.trending.query() }
}

const buy = async ({ client }: GivenUser, product: Product | undefined, quantity = 1) =>
  product && (await client.orders.checkout.mutate({ items: [item(product, quantity)] })).order

describe('products.trending', () => {
  it('ranks products by their sales since the start of this hour three days ago', async () => {
    const { clock, buyer, given, trending, ...open } = await openAt(THREE_DAYS_BEFORE)
    await using shop = open.shop
    const [few, many] = await given(2)
    await buy(buyer, few, 2)
    await buy(buyer, many, 2)
    clock.set(NOON)
    await buy(buyer, many, 3)

    clock.set(LATER_THAT_HOUR)
    const { get } = shop.client().products
    expect(await trending()).toEqual({
      items: [
        { rank: 1, soldCount: 5, product: await get.query({ productId: many?.id ?? 0 }) },
        { rank: 2, soldCount: 2, product: await get.query({ productId: few?.id ?? 0 }) },
      ],
      from: new Date(THREE_DAYS_BEFORE),
      asOf: new Date(LATER_THAT_HOUR),
    })
  })

  it('counts a sale at `from`, but not a millisecond before', async () => {
    const { clock, buyer, given, trending, ...open } = await openAt(JUST_BEFORE_THAT)
    await using _ = open.shop
    const [before, at] = await given(2)
    await buy(buyer, before)
    clock.set(THREE_DAYS_BEFORE)
    await buy(buyer, at)

    clock.set(NOON)
    expect((await trending()).items).toMatchObject([{ rank: 1, soldCount: 1, product: { id: at?.id } }])
    clock.set('2026-03-10T11:59:59.999Z')
    expect((await trending()).items).toHaveLength(2)
    clock.set('2026-03-10T13:00:00.000Z')
    expect((await trending()).items).toEqual([])
  })

  it('returns five products, and sorts equal sales by ascending id', async () => {
    const { buyer, given, trending, ...open } = await openAt(NOON)
    await using _ = open.shop
    const products = (await given(7)).sort((a, b) => a.id - b.id)
    for (const product of products.toReversed()) await buy(buyer, product, product === products[6] ? 2 : 1)

    const { items } = await trending()

    expect(items.map(({ rank, soldCount }) => [rank, soldCount])).toEqual([
      [1, 2],
      [2, 1],
      [3, 1],
      [4, 1],
      [5, 1],
    ])
    expect(items.map(({ product }) => product.id)).toEqual([products[6], ...products.slice(0, 4)].map((p) => p?.id))
  })

  it('subtracts a refunded sale from the hour of the sale', async () => {
    const { clock, shop: opened, buyer, given, trending } = await openAt(JUST_BEFORE_THAT)
    await using shop = opened
    const [product] = await given(1)
    const early = await buy(buyer, product, 2)
    clock.set(NOON)
    const late = await buy(buyer, product, 4)
    const refund = (order: typeof late) => shop.asAdmin().payments.refund({ orderId: order?.id ?? 0 })

    await refund(early)
    expect((await trending()).items).toMatchObject([{ soldCount: 4 }])
    await refund(late)
    expect((await trending()).items).toEqual([])
  })

  it('counts an order at the time of its payment, not of its placement', async () => {
    const { clock, buyer, given, trending, ...open } = await openAt(JUST_BEFORE_THAT)
    await using _ = open.shop
    const [product] = await given(1)
    const { id: orderId } = await buyer.client.orders.place.mutate({ items: product ? [item(product)] : [] })
    clock.set(NOON)
    expect((await trending()).items).toEqual([])
    await buyer.client.payments.pay.mutate({ orderId })

    expect((await trending()).items).toMatchObject([{ soldCount: 1 }])
  })

  it('skips removed products, and the next product takes the rank', async () => {
    const { shop: opened, buyer, given, trending } = await openAt(NOON)
    await using shop = opened
    const products = await given(6)
    for (const product of products) await buy(buyer, product)
    const [first, ...others] = products.map(({ id }) => id).sort((a, b) => a - b)
    await shop.asAdmin().products.remove({ productId: first ?? 0 })

    expect((await trending()).items.map(({ rank, product }) => [rank, product.id])).toEqual(
      others.map((id, index) => [index + 1, id]),
    )
  })

  it('excludes the sales of hours that have not begun, of a server whose clock ran ahead', async () => {
    const { clock, shop: opened, buyer, given, trending } = await openAt('2026-03-10T13:00:00.000Z')
    await using shop = opened
    const [ahead, now] = await given(2)
    const order = await buy(buyer, ahead, 9)
    clock.set('2027-03-10T12:00:00.000Z')
    await buy(buyer, ahead)
    clock.set(LATER_THAT_HOUR)
    await buy(buyer, now)

    expect((await trending()).items).toMatchObject([{ rank: 1, soldCount: 1, product: { id: now?.id } }])
    clock.set('2026-03-10T13:00:00.000Z')
    expect((await trending()).items).toMatchObject([{ soldCount: 9, product: { id: ahead?.id } }, { soldCount: 1 }])
    clock.set(NOON)
    await shop.asAdmin().payments.refund({ orderId: order?.id ?? 0 })
    clock.set('2026-03-10T13:00:00.000Z')
    expect((await trending()).items).toMatchObject([{ soldCount: 1, product: { id: now?.id } }])
  })

  it('is empty before the first sale', async () => {
    const { trending, given, ...open } = await openAt(NOON)
    await using _ = open.shop
    await given(1)

    expect(await trending()).toEqual({ items: [], from: new Date(THREE_DAYS_BEFORE), asOf: new Date(NOON) })
  })

  it('is cached for RANKINGS_TTL_SECONDS and sends no query meanwhile', async () => {
    const clock = clockAt(NOON)
    await using shop = await openShop({ now: clock.now, config: { rankingsTtlSeconds: 30 } })
    const { trending } = shop.client().products
    const first = await trending.query()
    clock.set(LATER_THAT_HOUR)
    shop.statements.length = 0

    expect(await trending.query()).toEqual(first)
    expect(shop.statements).toEqual([])
  })
})
