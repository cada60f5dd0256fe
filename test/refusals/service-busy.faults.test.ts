import { describe, expect, it } from 'vitest'
import { expectWithin } from '../setup/deadline.ts'
import { openShop } from '../setup/shop.ts'
import { callsDuringLocks, callsWithoutConnection, openOrderAndWallet } from './busy-database.ts'

const statuses = (responses: { status: number }[]) => new Set(responses.map(({ status }) => status))

describe('when the database is busy, service_busy arrives', () => {
  it('within 15 seconds while another transaction holds a row lock', async () => {
    await using shop = await openShop({ database: { lockWaitSeconds: 1 } })
    const given = await openOrderAndWallet(shop)
    const startedAt = performance.now()
    expect(statuses(await callsDuringLocks(shop, given))).toEqual(new Set([503]))
    expectWithin(performance.now() - startedAt, 15_000)
  })

  it('within 3 seconds while every connection is in use', async () => {
    await using shop = await openShop({ database: { connections: 1, acquireTimeoutMs: 1_500 } })
    const { token } = await shop.givenUser()
    const startedAt = performance.now()
    expect(statuses(await callsWithoutConnection(shop, token))).toEqual(new Set([503]))
    expectWithin(performance.now() - startedAt, 3_000)
  })
})
