import { describe, expect, it } from 'vitest'
import { holdLocks, snapshot } from '../setup/database.ts'
import { get, post } from '../setup/raw-http.ts'
import { type Client, type GivenUser, item, openShop } from '../setup/shop.ts'

const STATUSES = ['pending', 'paid', 'cancelled', 'refunded'] as const

const bringTo: Record<(typeof STATUSES)[number], (owner: Client, admin: Client, orderId: number) => Promise<unknown>> =
  {
    pending: async () => undefined,
    paid: (owner, _, orderId) => owner.payments.pay.mutate({ orderId }),
    cancelled: (owner, _, orderId) => owner.orders.cancel.mutate({ orderId }),
    refunded: async (owner, admin, orderId) => {
      await owner.payments.pay.mutate({ orderId })
      return admin.payments.refund.mutate({ orderId })
    },
  }

describe("another user's order", () => {
  it.each(STATUSES)(
    'that is %s gets the same response, byte for byte, as an order that does not exist',
    async (status) => {
      await using shop = await openShop()
      const owner = await shop.givenUser({ points: 1_000 })
      const other: GivenUser = await shop.givenUser({ points: 1_000 })
      const { id: foreignOrderId } = await owner.client.orders.place.mutate({
        items: [item(await shop.givenProduct())],
      })
      await bringTo[status](owner.client, await shop.admin(), foreignOrderId)
      const missingOrderId = foreignOrderId + 1
      await other.client.users.me.query()
      const before = await snapshot(shop.db)
      const respond = async (send: typeof get, path: string, orderId: number) => {
        shop.statements.length = 0
        const { status, headers, text } = await send(shop, path, { token: other.token, input: { orderId } })
        const body = text.replace(/"requestId":"[^"]+"/, '').replace(`"orderId":${orderId}`, '"orderId":0')
        // With the same statements, the response time does not reveal the order either.
        return { status, body, headers: [...headers.keys()].toSorted(), statements: [...shop.statements] }
      }

      for (const [send, path] of [
        [get, 'orders.get'],
        [post, 'orders.cancel'],
        [post, 'payments.pay'],
        [get, 'payments.get'],
      ] as const) {
        const response = await respond(send, path, foreignOrderId)
        expect(response).toEqual(await respond(send, path, missingOrderId))
        expect(response.status).toBe(404)
      }
      expect(await snapshot(shop.db)).toEqual(before)
    },
  )

  it('is refused with order_not_found even while the stock of its product is locked, without waiting for the lock', async () => {
    await using shop = await openShop({ database: { lockWaitSeconds: 1 } })
    const [owner, other] = [await shop.givenUser({ points: 1_000 }), await shop.givenUser()]
    const product = await shop.givenProduct()
    const { id: orderId } = await owner.client.orders.place.mutate({ items: [item(product)] })
    await using _ = await holdLocks(shop.databaseUrl, `select * from stock where product_id = ${product.id} for update`)

    for (const _attempt of ['first', 'when the product is a known contended row']) {
      expect(await post(shop, 'payments.pay', { token: other.token, input: { orderId } })).toMatchObject({
        status: 404,
        refusal: { code: 'order_not_found' },
      })
      await post(shop, 'payments.pay', { token: owner.token, input: { orderId } })
    }
  })

  it('is refused with order_not_found even while the order is locked, and its owner is refused with service_busy', async () => {
    await using shop = await openShop({ database: { lockWaitSeconds: 1 } })
    const [owner, other] = [await shop.givenUser({ points: 1_000 }), await shop.givenUser()]
    const { id: orderId } = await owner.client.orders.place.mutate({ items: [item(await shop.givenProduct())] })
    await using _ = await holdLocks(shop.databaseUrl, `select * from orders where id = ${orderId} for update`)
    const pay = (token: string) => post(shop, 'payments.pay', { token, input: { orderId } })

    for (const _attempt of ['first', 'when the order is a known contended row']) {
      expect((await pay(other.token)).refusal).toEqual({ code: 'order_not_found', retry: 'never', orderId })
      expect((await pay(owner.token)).refusal).toMatchObject({ code: 'service_busy' })
    }
    // Two of these calls share a batch.
    const responses = await Promise.all([other.token, owner.token, other.token].map(pay))
    expect(responses.map(({ status }) => status)).toEqual([404, 503, 404])
  })
})
