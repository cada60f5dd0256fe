import { describe, expect, it } from 'vitest'
import { expectInvalid, expectRefused } from '../setup/refusals.ts'
import { type Client, openShop, type Shop } from '../setup/shop.ts'

async function givenIds(shop: Shop, count: number): Promise<number[]> {
  const { id: storeId } = await shop.givenStore()
  const ids: number[] = []
  for (let n = 1; n <= count; n++) ids.unshift((await shop.givenProduct({ storeId })).id)
  return ids
}

const idsOf = ({ items }: { items: { id: number }[] }) => items.map(({ id }) => id)

async function readAll(client: Client, limit: number): Promise<number[]> {
  const ids: number[] = []
  let cursor: string | null | undefined
  do {
    const page = await client.products.scroll.query({ limit, ...(cursor && { cursor }) })
    ids.push(...idsOf(page))
    cursor = page.nextCursor
  } while (cursor)
  return ids
}

describe('products.scroll', () => {
  it('returns every product once, newest first', async () => {
    await using shop = await openShop()
    const ids = await givenIds(shop, 7)

    expect(await readAll(shop.client(), 3)).toEqual(ids)
    expect(await readAll(shop.client(), 7)).toEqual(ids)
  })

  it('returns products equal to what products.get returns', async () => {
    await using shop = await openShop()
    const product = await shop.givenProduct()

    expect(await shop.client().products.scroll.query()).toEqual({
      items: [await shop.client().products.get.query({ productId: product.id })],
      nextCursor: null,
    })
  })

  it('refuses store_not_found for a store that does not exist', async () => {
    await using shop = await openShop()

    await expectRefused(shop, () => shop.client().products.scroll.query({ storeId: 9 }), 404, {
      code: 'store_not_found',
      storeId: 9,
    })
  })

  it('returns no product twice and skips none while products are added and removed', async () => {
    await using shop = await openShop()
    const [e, d, c, b, a] = await givenIds(shop, 5)
    const first = await shop.client().products.scroll.query({ limit: 2 })
    await shop.givenProduct()
    await shop.asAdmin().products.remove({ productId: d ?? 0 })
    await shop.asAdmin().products.remove({ productId: b ?? 0 })

    const second = await shop.client().products.scroll.query({ limit: 2, cursor: first.nextCursor ?? '' })

    expect([idsOf(first), idsOf(second)]).toEqual([
      [e, d],
      [c, a],
    ])
    expect(second.nextCursor).toBeNull()
  })

  it('returns the products of one store', async () => {
    await using shop = await openShop()
    const mine = await shop.givenProduct()
    await shop.givenProduct()

    expect(idsOf(await shop.client().products.scroll.query({ storeId: mine.storeId }))).toEqual([mine.id])
  })

  it('returns 20 products per page by default and at most 50', async () => {
    await using shop = await openShop()
    await givenIds(shop, 51)

    expect((await shop.client().products.scroll.query({})).items).toHaveLength(20)
    expect((await shop.client().products.scroll.query({ limit: 50 })).items).toHaveLength(50)
    await expectInvalid(shop, () => shop.client().products.scroll.query({ limit: 51 }))
  })

  it.each(['', 'x', '1', '{}', 'after:1'])('rejects the cursor %j as invalid', async (cursor) => {
    await using shop = await openShop()
    await expectInvalid(shop, () => shop.client().products.scroll.query({ cursor }))
  })
})
