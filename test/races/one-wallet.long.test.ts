import { describe, expect, it } from 'vitest'
import { runConcurrently, times } from '../setup/refusals.ts'
import { openServers } from '../setup/servers.ts'
import { item, openShop, PATIENT_LOCKS } from '../setup/shop.ts'

describe('concurrent calls of one user', () => {
  it('200 orders with points for 60 of them: exactly 60 are paid', async () => {
    await using shop = await openShop({ database: PATIENT_LOCKS })
    await using servers = openServers(shop)
    const { id, client } = await shop.givenUser({ points: 6_050 })
    const product = await shop.givenProduct({ price: 100, stock: 1_000 })

    const { answers, refusals } = await runConcurrently(
      times(200, () => servers.asUser(id).orders.checkout({ items: [item(product)] })),
    )

    expect(answers).toHaveLength(60)
    expect(refusals).toEqual({ points_insufficient: 140 })
    expect(await client.points.balance.query()).toMatchObject({ balance: 50 })
  })

  it('100 charges of 100,000 to an empty wallet: exactly 10 succeed', async () => {
    await using shop = await openShop({ database: PATIENT_LOCKS })
    const { client } = await shop.givenUser()

    const { answers, refusals } = await runConcurrently(
      times(100, () => client.points.charge.mutate({ amount: 100_000 })),
    )

    expect(answers.map(({ balance }) => balance).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 10 }, (_, n) => (n + 1) * 100_000),
    )
    expect(refusals).toEqual({ points_limit_exceeded: 90 })
  })

  it('charges and checkouts of the same amount: each changes the balance', async () => {
    await using shop = await openShop({ database: PATIENT_LOCKS })
    await using servers = openServers(shop)
    const { id, client } = await shop.givenUser({ points: 5_000 })
    const product = await shop.givenProduct({ price: 100, stock: 50 })

    const { answers, refusals } = await runConcurrently(
      times<{ balance: number }>(100, (n) =>
        n % 2 === 0
          ? servers.asUser(id).points.charge({ amount: 100 })
          : servers.asUser(id).orders.checkout({ items: [item(product)] }),
      ),
    )

    expect(answers).toHaveLength(100)
    expect(refusals).toEqual({})
    expect(await client.points.balance.query()).toMatchObject({ balance: 5_000 })
    const { items } = await client.points.histories.query({ limit: 50 })
    expect(new Set(items.map(({ id }) => id)).size).toBe(50)
    expect(await client.products.get.query({ productId: product.id })).toMatchObject({ stock: 0, salesVolume: 50 })
  })
})
