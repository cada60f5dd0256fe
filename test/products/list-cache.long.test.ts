import { describe, expect, it } from 'vitest'
import { run } from '../setup/database.ts'
import { openShop, type Shop } from '../setup/shop.ts'

const REMEMBERING = { config: { rankingsTtlSeconds: 600 } }
const MANY = 2_500

async function fillCatalogue({ db }: Shop): Promise<void> {
  await run(db, "insert into stores (name) values ('Kitchen')")
  const digits = 'select 0 as d union all select 1 union all select 2 union all select 3 union all select 4'
  await run(
    db,
    `insert into products (store_id, name, price, deleted_at)
    select (select max(id) from stores), concat('p', a.d, b.d, c.d, e.d, f.d), 1, if(f.d = 3 and e.d = 1, now(), null)
    from (${digits}) a, (${digits}) b, (${digits}) c, (${digits}) e, (${digits}) f limit ${MANY}`,
  )
  await run(db, 'insert into stock (product_id, stock) select id, 5 from products')
  await run(
    db,
    'insert into stock_changes (product_id, `change`, reason, idempotency_key, created_at) ' +
      "select id, 5, 'STOCKED', uuid(), created_at from products",
  )
  const payload = "json_object('productId', id, 'name', name, 'price', price, 'stock', 5)"
  for (const [type, column] of [
    ['product.created', 'created_at'],
    ['product.removed', 'deleted_at'],
  ]) {
    await run(
      db,
      `insert into events (type, \`key\`, payload, created_at)
      select '${type}', concat('product:', id), ${payload}, ${column} from products where ${column} is not null`,
    )
  }
}

describe('products.list with cached counts and blocks', () => {
  it('returns every product on exactly one page, also on distant pages', async () => {
    await using shop = await openShop(REMEMBERING)
    await fillCatalogue(shop)
    const client = shop.client()
    const expected = await run<{ id: number }>(
      shop.db,
      'select id from products where deleted_at is null order by id desc',
    )
    const { totalPages, totalItems } = await client.products.list.query()
    expect(totalItems).toBe(expected.length)
    const pages = Array.from({ length: totalPages }, (_, index) => totalPages - index)
    const found = new Map<number, number[]>()
    for (const page of pages) {
      const { items } = await client.products.list.query({ page })
      found.set(
        page,
        items.map(({ id }) => id),
      )
    }
    const listed = [...found].toSorted(([a], [b]) => a - b).flatMap(([, ids]) => ids)
    expect(listed).toEqual(expected.map(({ id }) => id))
  })

  it('includes at once what its own server added and removed', async () => {
    await using shop = await openShop(REMEMBERING)
    await fillCatalogue(shop)
    const [client, admin] = [shop.client(), await shop.admin()]
    const far = { page: 101 }
    const before = await client.products.list.query(far)
    const [storeId = 0] = (await client.stores.list.query()).map(({ id }) => id)
    const added = await admin.products.create.mutate({ storeId, name: 'New', price: 1, stock: 1 })
    const after = await client.products.list.query(far)
    expect(after.totalItems).toBe(before.totalItems + 1)
    expect(after.items.map(({ id }) => id).slice(1)).toEqual(before.items.map(({ id }) => id).slice(0, -1))
    await admin.products.remove.mutate({ productId: added.id })
    expect(await client.products.list.query(far)).toEqual(before)
  })

  it('returns the current products of a page whose position is cached', async () => {
    await using shop = await openShop(REMEMBERING)
    await fillCatalogue(shop)
    const [client, admin] = [shop.client(), await shop.admin()]
    const [product] = (await client.products.list.query({ page: 101 })).items
    if (!product) throw new Error('The page is empty.')
    await admin.products.update.mutate({ productId: product.id, price: 77 })
    await admin.products.restock.mutate({ productId: product.id, quantity: 3 })
    const [now] = (await client.products.list.query({ page: 101 })).items
    expect(now).toEqual({ ...product, price: 77, stock: 8 })
  })
})

describe('products.topSelling and products.trending', () => {
  it('are read once for any number of concurrent calls', async () => {
    await using shop = await openShop(REMEMBERING)
    const client = shop.client()
    shop.statements.length = 0
    await Promise.all(
      Array.from({ length: 40 }, () =>
        Promise.all([client.products.topSelling.query(), client.products.trending.query()]),
      ),
    )
    expect(shop.statements).toHaveLength(2)
  })
})
