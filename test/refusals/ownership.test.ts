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
  it.each(STATUSES)('that is %s is answered byte for byte like one that does not exist', async (status) => {
    await using shop = await openShop()
    const owner = await shop.givenUser({ points: 1_000 })
    const other: GivenUser = await shop.givenUser({ points: 1_000 })
    const { id: theirs } = await owner.client.orders.place.mutate({ items: [item(await shop.givenProduct())] })
    await bringTo[status](owner.client, await shop.admin(), theirs)
    const missing = theirs + 1
    await other.client.users.me.query()
    const before = await snapshot(shop.db)
    const asked = async (send: typeof get, path: string, orderId: number) => {
      shop.statements.length = 0
      const { status, headers, text } = await send(shop, path, { token: other.token, input: { orderId } })
      const body = text.replace(/"requestId":"[^"]+"/, '').replace(`"orderId":${orderId}`, '"orderId":0')
      // The same statements, so that the time which they take tells nothing either.
      return { status, body, headers: [...headers.keys()].toSorted(), statements: [...shop.statements] }
    }

    for (const [send, path] of [
      [get, 'orders.get'],
      [post, 'orders.cancel'],
      [post, 'payments.pay'],
      [get, 'payments.get'],
    ] as const) {
      const answer = await asked(send, path, theirs)
      expect(answer).toEqual(await asked(send, path, missing))
      expect(answer.status).toBe(404)
    }
    expect(await snapshot(shop.db)).toEqual(before)
  })

  it('is refused order_not_found also while what it names is locked, and waits for nothing', async () => {
    await using shop = await openShop({ database: { lockWaitSeconds: 1 } })
    const [owner, other] = [await shop.givenUser({ points: 1_000 }), await shop.givenUser()]
    const product = await shop.givenProduct()
    const { id: orderId } = await owner.client.orders.place.mutate({ items: [item(product)] })
    await using _ = await holdLocks(shop.databaseUrl, `select * from stock where product_id = ${product.id} for update`)

    for (const _again of ['first', 'when the product is known to be locked']) {
      expect(await post(shop, 'payments.pay', { token: other.token, input: { orderId } })).toMatchObject({
        status: 404,
        refusal: { code: 'order_not_found' },
      })
      await post(shop, 'payments.pay', { token: owner.token, input: { orderId } })
    }
  })

  it('is refused order_not_found also while it is itself locked, when its owner is told service_busy', async () => {
    await using shop = await openShop({ database: { lockWaitSeconds: 1 } })
    const [owner, other] = [await shop.givenUser({ points: 1_000 }), await shop.givenUser()]
    const { id: orderId } = await owner.client.orders.place.mutate({ items: [item(await shop.givenProduct())] })
    await using _ = await holdLocks(shop.databaseUrl, `select * from orders where id = ${orderId} for update`)
    const pay = (token: string) => post(shop, 'payments.pay', { token, input: { orderId } })

    for (const _again of ['first', 'when the order is known to be locked']) {
      expect((await pay(other.token)).refusal).toEqual({ code: 'order_not_found', retry: 'never', orderId })
      expect((await pay(owner.token)).refusal).toMatchObject({ code: 'service_busy' })
    }
    // Two of them share a batch.
    const answers = await Promise.all([other.token, owner.token, other.token].map(pay))
    expect(answers.map(({ status }) => status)).toEqual([404, 503, 404])
  })
})
