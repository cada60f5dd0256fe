import { describe, expect, it } from 'vitest'
import { run } from '../setup/database.ts'
import { runConcurrently, times } from '../setup/refusals.ts'
import { openServers } from '../setup/servers.ts'
import { item, newKey, openShop, PATIENT_LOCKS } from '../setup/shop.ts'

const replaysOf = (answers: { replayed: boolean }[]) => answers.filter(({ replayed }) => replayed).length

describe('fifty concurrent calls with the same key', () => {
  it('charge once and return 49 replays', async () => {
    await using shop = await openShop({ database: PATIENT_LOCKS })
    const { client } = await shop.givenUser({ points: 1 })
    const call = { amount: 100, idempotencyKey: newKey() }

    const { answers, refusals } = await runConcurrently(times(50, () => client.points.charge.mutate(call)))

    expect(refusals).toEqual({})
    expect([answers.length, replaysOf(answers)]).toEqual([50, 49])
    expect(new Set(answers.map(({ historyId, balance }) => `${historyId} ${balance}`)).size).toBe(1)
    expect(await client.points.balance.query()).toMatchObject({ balance: 101 })
  })

  it('place one order and return 49 replays', async () => {
    await using shop = await openShop({ database: PATIENT_LOCKS })
    await using servers = openServers(shop)
    const { id, client } = await shop.givenUser()
    const call = { items: [item(await shop.givenProduct())], idempotencyKey: newKey() }

    const { answers, refusals } = await runConcurrently(times(50, () => servers.asUser(id).orders.place(call)))

    expect(refusals).toEqual({})
    expect([answers.length, replaysOf(answers)]).toEqual([50, 49])
    expect(new Set(answers.map((order) => order.id)).size).toBe(1)
    expect((await client.orders.list.query()).items).toHaveLength(1)
  })

  it('check out once and return 49 replays', async () => {
    await using shop = await openShop({ database: PATIENT_LOCKS })
    const { client } = await shop.givenUser({ points: 1_000 })
    const call = { items: [item(await shop.givenProduct({ price: 100 }))], idempotencyKey: newKey() }

    const { answers, refusals } = await runConcurrently(times(50, () => client.orders.checkout.mutate(call)))

    expect(refusals).toEqual({})
    expect([answers.length, replaysOf(answers)]).toEqual([50, 49])
    expect(new Set(answers.map(({ order, balance }) => `${order.id} ${balance}`)).size).toBe(1)
    expect(await client.points.balance.query()).toMatchObject({ balance: 900 })
  })

  it('check out once at four servers and return 49 replays', async () => {
    await using shop = await openShop({ database: PATIENT_LOCKS })
    await using servers = openServers(shop)
    const { id, client } = await shop.givenUser({ points: 1_000 })
    const call = { items: [item(await shop.givenProduct({ price: 100 }))], idempotencyKey: newKey() }

    const { answers, refusals } = await runConcurrently(times(50, () => servers.asUser(id).orders.checkout(call)))

    expect(refusals).toEqual({})
    expect([answers.length, replaysOf(answers)]).toEqual([50, 49])
    expect(new Set(answers.map(({ order, balance }) => `${order.id} ${balance}`)).size).toBe(1)
    expect(await client.points.balance.query()).toMatchObject({ balance: 900 })
  })

  it('restock once', async () => {
    await using shop = await openShop({ database: PATIENT_LOCKS })
    await using servers = openServers(shop)
    const { id: productId } = await shop.givenProduct({ stock: 3 })
    const call = { productId, quantity: 5, idempotencyKey: newKey() }

    const { answers, refusals } = await runConcurrently(times(50, () => servers.asAdmin().products.restock(call)))

    expect(refusals).toEqual({})
    expect(new Set(answers.map(({ stock }) => stock))).toEqual(new Set([8]))
    expect(await run(shop.db, "select count(*) as n from stock_changes where reason = 'RESTOCKED'")).toEqual([{ n: 1 }])
  })

  it('are all refused with the code of the violated rule', async () => {
    await using shop = await openShop({ database: PATIENT_LOCKS })
    await using servers = openServers(shop)
    const { id } = await shop.givenUser({ points: 10 })
    const call = { items: [item(await shop.givenProduct({ price: 100 }))], idempotencyKey: newKey() }

    expect(await runConcurrently(times(50, () => servers.asUser(id).orders.checkout(call)))).toEqual({
      answers: [],
      refusals: { points_insufficient: 50 },
    })
  })
})
