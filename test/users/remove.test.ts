import { describe, expect, it } from 'vitest'
import { run } from '../setup/database.ts'
import { expectRefused } from '../setup/refusals.ts'
import { item, openShop } from '../setup/shop.ts'

describe('users.remove', () => {
  it("invalidates the user's token and keeps the user's records", async () => {
    await using shop = await openShop()
    const admin = await shop.admin()
    const { id: userId, client } = await shop.givenUser({ points: 300 })

    expect(await admin.users.remove.mutate({ userId })).toEqual({ id: userId })

    await expectRefused(shop, () => client.points.balance.query(), 401, { code: 'user_not_found' })
    await expectRefused(shop, () => client.points.charge.mutate({ amount: 1 }), 401, { code: 'user_not_found' })
    expect(await run(shop.db, `select point from points where user_id = ${userId}`)).toEqual([{ point: 300 }])
  })

  it("refuses user_not_found for the user's payments, also of orders placed before", async () => {
    await using shop = await openShop()
    const admin = await shop.admin()
    const product = await shop.givenProduct()
    const { id: userId, client } = await shop.givenUser({ points: 1_000 })
    const { id: orderId } = await client.orders.place.mutate({ items: [item(product)] })
    await admin.users.remove.mutate({ userId })

    for (const call of [
      () => client.payments.pay.mutate({ orderId }),
      () => client.orders.checkout.mutate({ items: [item(product)] }),
      () => client.orders.cancel.mutate({ orderId }),
    ]) {
      await expectRefused(shop, call, 401, { code: 'user_not_found' })
    }
  })

  it('refuses user_unknown for a user that does not exist or is already removed, and changes nothing', async () => {
    await using shop = await openShop()
    const admin = await shop.admin()
    const { id } = await shop.givenUser()
    await admin.users.remove.mutate({ userId: id })

    for (const userId of [id, id + 1]) {
      await expectRefused(shop, () => admin.users.remove.mutate({ userId }), 404, { code: 'user_unknown', userId })
    }
  })

  it("refuses not_allowed to a user, also for the user's own id", async () => {
    await using shop = await openShop()
    const { id: userId, client } = await shop.givenUser()

    await expectRefused(shop, () => client.users.remove.mutate({ userId }), 403, { code: 'not_allowed' })
  })

  it("leaves the user's orders refundable", async () => {
    await using shop = await openShop()
    const admin = await shop.admin()
    const product = await shop.givenProduct({ price: 40 })
    const { id: userId, client } = await shop.givenUser({ points: 100 })
    const { order } = await client.orders.checkout.mutate({ items: [item(product)] })
    await admin.users.remove.mutate({ userId })

    expect(await admin.payments.refund.mutate({ orderId: order.id })).toMatchObject({ amount: 40 })
    expect(await run(shop.db, `select point from points where user_id = ${userId}`)).toEqual([{ point: 100 }])
  })
})
