import { describe, expect, it } from 'vitest'
import { clockAt } from '../setup/clock.ts'
import { expectInvalid, expectRefused } from '../setup/refusals.ts'
import { openShop, type Shop } from '../setup/shop.ts'

async function givenNames(shop: Shop, count: number, storeId?: number): Promise<string[]> {
  const store = storeId ?? (await shop.givenStore()).id
  const names: string[] = []
  for (let n = 1; n <= count; n++) names.unshift((await shop.givenProduct({ storeId: store })).name)
  return names
}

const namesOf = ({ items }: { items: { name: string }[] }) => items.map(({ name }) => name)

describe('products.list', () => {
  it('returns every field of a product without a token', async () => {
    const clock = clockAt('2026-03-01T08:00:00.123Z')
    await using shop = await openShop({ now: clock.now })
    const { id: storeId } = await shop.givenStore('Corner')
    const { id } = await shop.givenProduct({ storeId, name: 'Tea', price: 30, stock: 7 })

    expect(await shop.client().products.list.query()).toEqual({
      items: [
        {
          id,
          storeId,
          storeName: 'Corner',
          name: 'Tea',
          price: 30,
          stock: 7,
          salesVolume: 0,
          createdAt: new Date('2026-03-01T08:00:00.123Z'),
        },
      ],
      page: 1,
      pageSize: 20,
      totalItems: 1,
      totalPages: 1,
    })
  })

  it('returns 20 products per page, newest first', async () => {
    await using shop = await openShop()
    const names = await givenNames(shop, 41)
    const { list } = shop.client().products

    const pages = await Promise.all([1, 2, 3].map((page) => list.query({ page })))

    expect(pages.map(namesOf)).toEqual([names.slice(0, 20), names.slice(20, 40), names.slice(40)])
    expect(pages[2]).toMatchObject({ page: 3, pageSize: 20, totalItems: 41, totalPages: 3 })
  })

  it('refuses store_not_found for a store that does not exist', async () => {
    await using shop = await openShop()
    const { id } = await shop.givenStore()

    await expectRefused(shop, () => shop.client().products.list.query({ storeId: id + 1 }), 404, {
      code: 'store_not_found',
      storeId: id + 1,
    })
  })

  it('returns the products of one store', async () => {
    await using shop = await openShop()
    const { id: storeId } = await shop.givenStore()
    const names = await givenNames(shop, 2, storeId)
    await givenNames(shop, 3)

    const page = await shop.client().products.list.query({ storeId })

    expect(namesOf(page)).toEqual(names)
    expect(page).toMatchObject({ totalItems: 2, totalPages: 1 })
  })

  it('is empty beyond the last page', async () => {
    await using shop = await openShop()
    await givenNames(shop, 1)

    for (const page of [2, 2_147_483_647]) {
      expect(await shop.client().products.list.query({ page })).toEqual({
        items: [],
        page,
        pageSize: 20,
        totalItems: 1,
        totalPages: 1,
      })
    }
  })

  it('has no pages in an empty shop', async () => {
    await using shop = await openShop()

    expect(await shop.client().products.list.query({})).toMatchObject({ items: [], totalItems: 0, totalPages: 0 })
  })

  it('does not list removed products', async () => {
    await using shop = await openShop()
    const gone = await shop.givenProduct()
    const listed = await shop.givenProduct()
    await shop.asAdmin().products.remove({ productId: gone.id })

    const page = await shop.client().products.list.query()

    expect(namesOf(page)).toEqual([listed.name])
    expect(page.totalItems).toBe(1)
  })

  it.each([0, -1, 1.5, 2 ** 31])('rejects the page %s as invalid', async (page) => {
    await using shop = await openShop()
    await expectInvalid(shop, () => shop.client().products.list.query({ page }))
  })
})
