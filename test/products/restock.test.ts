import { describe, expect, it } from 'vitest'
import { eventsOf, run, snapshot } from '../setup/database.ts'
import { expectInvalid, expectRefused } from '../setup/refusals.ts'
import { newKey, openShop } from '../setup/shop.ts'

describe('products.restock', () => {
  it('adds to the stock and writes one event', async () => {
    await using shop = await openShop()
    const admin = await shop.admin()
    const product = await shop.givenProduct({ stock: 7 })
    const productId = product.id

    expect(await admin.products.restock.mutate({ productId, quantity: 5 })).toEqual({ ...product, stock: 12 })

    expect(await shop.client().products.get.query({ productId })).toMatchObject({ stock: 12 })
    expect(await eventsOf(shop.db, 'product.restocked')).toEqual([
      { type: 'product.restocked', key: `product:${productId}`, payload: { productId, change: 5, stock: 12 } },
    ])
  })

  it('takes from the stock with a negative quantity, down to 0', async () => {
    await using shop = await openShop()
    const admin = await shop.admin()
    const { id: productId } = await shop.givenProduct({ stock: 7 })

    expect(await admin.products.restock.mutate({ productId, quantity: -7 })).toMatchObject({ stock: 0 })
    expect(await run(shop.db, 'select `change`, reason from stock_changes order by id')).toEqual([
      { change: 7, reason: 'STOCKED' },
      { change: -7, reason: 'CORRECTED' },
    ])
  })

  it('changes nothing when the key is repeated, and returns the product', async () => {
    await using shop = await openShop()
    const admin = await shop.admin()
    const { id: productId } = await shop.givenProduct({ stock: 7 })
    const call = { productId, quantity: 5, idempotencyKey: newKey() }
    await admin.products.restock.mutate(call)
    const before = await snapshot(shop.db)

    expect(await admin.products.restock.mutate(call)).toMatchObject({ id: productId, stock: 12 })
    expect(await snapshot(shop.db)).toEqual(before)
  })

  it('returns the product for a repeated key, also after the product was removed', async () => {
    await using shop = await openShop()
    const admin = await shop.admin()
    const { id: productId } = await shop.givenProduct({ stock: 7 })
    const call = { productId, quantity: 5, idempotencyKey: newKey() }
    const done = await admin.products.restock.mutate(call)
    await admin.products.remove.mutate({ productId })
    const before = await snapshot(shop.db)

    expect(await admin.products.restock.mutate(call)).toEqual(done)
    expect(await snapshot(shop.db)).toEqual(before)
  })

  it('refuses stock_insufficient below 0 and changes nothing', async () => {
    await using shop = await openShop()
    const admin = await shop.admin()
    const { id: productId } = await shop.givenProduct({ stock: 7 })

    await expectRefused(shop, () => admin.products.restock.mutate({ productId, quantity: -8 }), 409, {
      code: 'stock_insufficient',
      productId,
      requested: 8,
      available: 7,
    })
  })

  it('refuses product_not_found for a product that does not exist or was removed', async () => {
    await using shop = await openShop()
    const admin = await shop.admin()
    const { id } = await shop.givenProduct()
    await admin.products.remove.mutate({ productId: id })

    for (const productId of [id, id + 1]) {
      await expectRefused(shop, () => admin.products.restock.mutate({ productId, quantity: 1 }), 404, {
        code: 'product_not_found',
        productId,
      })
    }
  })

  it('refuses idempotency_key_reused when the key is repeated with a different quantity', async () => {
    await using shop = await openShop()
    const admin = await shop.admin()
    const { id: productId } = await shop.givenProduct()
    const idempotencyKey = newKey()
    await admin.products.restock.mutate({ productId, quantity: 5, idempotencyKey })

    await expectRefused(shop, () => admin.products.restock.mutate({ productId, quantity: 6, idempotencyKey }), 422, {
      code: 'idempotency_key_reused',
    })
  })

  it('refuses not_allowed to a user and changes nothing', async () => {
    await using shop = await openShop()
    const { id: productId } = await shop.givenProduct()
    const { client } = await shop.givenUser()

    await expectRefused(shop, () => client.products.restock.mutate({ productId, quantity: 1 }), 403, {
      code: 'not_allowed',
    })
  })

  it('treats equal keys of two products as different keys', async () => {
    await using shop = await openShop()
    const admin = await shop.admin()
    const [tea, rice] = [await shop.givenProduct({ stock: 0 }), await shop.givenProduct({ stock: 0 })]
    const idempotencyKey = newKey()

    for (const { id: productId } of [tea, rice]) {
      expect(await admin.products.restock.mutate({ productId, quantity: 5, idempotencyKey })).toMatchObject({
        stock: 5,
      })
    }
  })

  it.each([0, 1.5, 1_000_001, -1_000_001])('rejects the quantity %s as invalid', async (quantity) => {
    await using shop = await openShop()
    const admin = await shop.admin()
    const { id: productId } = await shop.givenProduct()

    await expectInvalid(shop, () => admin.products.restock.mutate({ productId, quantity }))
  })
})
