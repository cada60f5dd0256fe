import { expect, test } from 'vitest'
import { run } from '../setup/database.ts'
import { item, openShop } from '../setup/shop.ts'

/** A few units below the range of a 32-bit integer. */
const SOLD = 2_147_483_640

test('a product can be sold and refunded after two billion units, and the rankings and the audit count all of them', async () => {
  await using shop = await openShop()
  const other = await shop.givenProduct({ price: 0, stock: 100 })
  const product = await shop.givenProduct({ price: 0, stock: 100 })
  const { client } = await shop.givenUser()
  const buy = async (quantity: number) =>
    (await client.orders.checkout.mutate({ items: [item(product, quantity)] })).order
  const first = await buy(5)
  await client.orders.checkout.mutate({ items: [item(other, 10)] })
  const addSales = async (units: number) => {
    await run(shop.db, `update products set sales_volume = sales_volume + ${units}`)
    await run(shop.db, `update product_sales set \`count\` = \`count\` + ${units}`)
  }
  await addSales(SOLD)

  const second = await buy(15)
  const refund = (orderId: number) => shop.asAdmin().payments.refund({ orderId })
  const sold = async () => {
    const { topSelling, trending, get, list, scroll } = shop.client().products
    const [listed, scrolled] = [await list.query(), await scroll.query()]
    const top = await topSelling.query()
    return {
      top: top.map(({ salesVolume, product }) => [product.id, salesVolume]),
      trending: (await trending.query()).items.map(({ soldCount, product }) => [product.id, soldCount]),
      get: (await get.query({ productId: product.id })).salesVolume,
      listed: [listed, scrolled].map(({ items }) => items.find(({ id }) => id === product.id)?.salesVolume),
    }
  }
  const ranking = (units: number) =>
    [[product.id, SOLD + units] as const, [other.id, SOLD + 10] as const].toSorted((a, b) => b[1] - a[1])
  const expected = (units: number) => ({
    top: ranking(units),
    trending: ranking(units),
    get: SOLD + units,
    listed: [SOLD + units, SOLD + units],
  })
  expect(await sold()).toEqual(expected(20))
  const { checks } = await shop.asAdmin().audit.run()
  const finding = expect.objectContaining({ expected: 'sales_volume 20', found: `sales_volume ${SOLD + 20}` })
  expect(checks.find(({ name }) => name === 'sales')?.findings).toContainEqual(finding)

  await refund(second.id)
  expect(await sold()).toEqual(expected(5))
  await refund(first.id)
  expect(await sold()).toEqual(expected(0))
  await addSales(-SOLD)
})
