import { describe, expect, it } from 'vitest'
import { runConcurrently, times } from '../setup/refusals.ts'
import { openServers } from '../setup/servers.ts'
import { item, openShop, PATIENT_LOCKS } from '../setup/shop.ts'
import { inSuite } from '../setup/suite.ts'

describe('concurrent calls on one order', () => {
  const ORDERS = inSuite(60, 200)
  it(`payment and cancellation of each of ${ORDERS} orders: one of them succeeds`, async () => {
    await using shop = await openShop({ database: PATIENT_LOCKS })
    await using servers = openServers(shop)
    const { id } = await shop.givenUser({ points: 1_000_000 })
    const product = await shop.givenProduct({ price: 1, stock: 1_000 })
    const caller = shop.asUser(id)
    const orders = await Promise.all(
      Array.from({ length: ORDERS }, () => caller.orders.place({ items: [item(product)] })),
    )

    const ends = await Promise.all(
      orders.map(async ({ id: orderId }, n) => {
        const pay = () => servers.asUser(id).payments.pay({ orderId })
        const cancel = () => servers.asUser(id).orders.cancel({ orderId })
        const { answers, refusals } = await runConcurrently<unknown>(n % 2 === 0 ? [pay, cancel] : [cancel, pay])
        const { status } = await caller.orders.get({ orderId })
        return { status, answers: answers.length, refusals }
      }),
    )

    const refusalOf = { paid: { order_not_cancellable: 1 }, cancelled: { order_not_payable: 1 } }
    for (const end of ends) {
      expect(['paid', 'cancelled']).toContain(end.status)
      expect(end).toEqual({ status: end.status, answers: 1, refusals: refusalOf[end.status as 'paid' | 'cancelled'] })
    }
  })

  it('twenty payments: one payment and nineteen replays', async () => {
    await using shop = await openShop({ database: PATIENT_LOCKS })
    const { client } = await shop.givenUser({ points: 1_000 })
    const { id: orderId } = await client.orders.place.mutate({ items: [item(await shop.givenProduct({ price: 100 }))] })

    const { answers, refusals } = await runConcurrently(times(20, () => client.payments.pay.mutate({ orderId })))

    expect(refusals).toEqual({})
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1)
    expect(new Set(answers.map(({ balance, payment }) => `${balance} ${payment.paidAt.toISOString()}`)).size).toBe(1)
    expect(await client.points.balance.query()).toMatchObject({ balance: 900 })
  })

  it('twenty payments at four servers: one payment and nineteen replays', async () => {
    await using shop = await openShop({ database: PATIENT_LOCKS })
    await using servers = openServers(shop)
    const { id, client } = await shop.givenUser({ points: 1_000 })
    const { id: orderId } = await client.orders.place.mutate({ items: [item(await shop.givenProduct({ price: 100 }))] })

    const { answers, refusals } = await runConcurrently(times(20, () => servers.asUser(id).payments.pay({ orderId })))

    expect(refusals).toEqual({})
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1)
    expect(new Set(answers.map(({ balance, payment }) => `${balance} ${payment.paidAt.toISOString()}`)).size).toBe(1)
    expect(await client.points.balance.query()).toMatchObject({ balance: 900 })
  })

  it('two refunds: one refund and one replay', async () => {
    await using shop = await openShop({ database: PATIENT_LOCKS })
    await using servers = openServers(shop)
    const { id, client } = await shop.givenUser({ points: 1_000 })
    const product = await shop.givenProduct({ price: 100, stock: 10 })
    const { order } = await servers.asUser(id).orders.checkout({ items: [item(product, 2)] })

    const { answers, refusals } = await runConcurrently(
      times(2, () => servers.asAdmin().payments.refund({ orderId: order.id })),
    )

    expect(refusals).toEqual({})
    expect(answers.map(({ replayed }) => replayed).toSorted()).toEqual([false, true])
    expect(new Set(answers.map(({ refundedAt }) => refundedAt.getTime())).size).toBe(1)
    expect(await client.points.balance.query()).toMatchObject({ balance: 1_000 })
    expect(await client.products.get.query({ productId: product.id })).toMatchObject({ stock: 10, salesVolume: 0 })
  })

  it('refunds of several orders of one user beside new checkouts: each changes the balance', async () => {
    await using shop = await openShop({ database: PATIENT_LOCKS })
    await using servers = openServers(shop)
    const { id, client } = await shop.givenUser({ points: 10_000 })
    const product = await shop.givenProduct({ price: 100, stock: 100 })
    const buy = () => servers.asUser(id).orders.checkout({ items: [item(product)] })
    const { answers: bought } = await runConcurrently(times(40, buy))

    const { answers, refusals } = await runConcurrently<unknown>([
      ...bought.map(
        ({ order }) =>
          () =>
            servers.asAdmin().payments.refund({ orderId: order.id }),
      ),
      ...times(40, buy),
    ])

    expect(refusals).toEqual({})
    expect(answers).toHaveLength(80)
    expect(await client.points.balance.query()).toMatchObject({ balance: 6_000 })
    expect(await client.products.get.query({ productId: product.id })).toMatchObject({ stock: 60, salesVolume: 40 })
  })
})
