import type { Pool } from '@pointwise/db'
import { type AuditResult, audit, type CheckName } from '@pointwise/server'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run } from '../setup/database.ts'
import { inSuite } from '../setup/suite.ts'
import type { Corruption } from './corruption.ts'
import { eventCorruptions } from './event-corruptions.ts'
import { orderCorruptions } from './order-corruptions.ts'
import { rangeCorruptions } from './range-corruptions.ts'
import { referenceCorruptions } from './reference-corruptions.ts'
import { saleCorruptions } from './sale-corruptions.ts'
import { copyTables, databaseWithoutConstraints, type ShopIds, seedShop } from './seeded-shop.ts'
import { walletCorruptions } from './wallet-corruptions.ts'

let db: Pool
let ids: ShopIds
let restoreTables: () => Promise<void>
beforeAll(async () => {
  db = await databaseWithoutConstraints()
  ids = await seedShop(db)
  restoreTables = await copyTables(db)
})
afterAll(() => db.destroy())

/** Ids that are all 0, to list the names and checks of the corruptions before there is a database. */
const ZEROS = new Proxy({}, { get: () => 0 })
const ZERO_IDS = new Proxy({}, { get: (_, key) => (key === 'fresh' ? 0 : ZEROS) }) as ShopIds

const KINDS: Record<string, (ids: ShopIds) => Corruption[]> = {
  wallets: walletCorruptions,
  orders: orderCorruptions,
  sales: saleCorruptions,
  events: eventCorruptions,
  references: referenceCorruptions,
  ranges: rangeCorruptions,
}

/** The events state most values once more, so these checks see most corruptions as well. planted.test.ts tests them. */
const REPLAY_CHECKS = new Set<CheckName>(['sequence', 'states', 'offers', 'times'])

const brokenIn = ({ checks }: AuditResult) => checks.filter(({ broken }) => broken > 0)

for (const [kind, corruptionsOf] of Object.entries(KINDS)) {
  describe(`${kind}: the audit reports the broken row, with the expected and the found value, for`, () => {
    const names = corruptionsOf(ZERO_IDS).map(({ name }) => name)
    test.each(names.filter((_, index) => index % inSuite(4, 1) === 0))('%s', async (name) => {
      await restoreTables()
      const corruption = corruptionsOf(ids).find((each) => each.name === name)
      if (!corruption) throw new Error(`There is no corruption named ${name}.`)
      for (const statement of [corruption.statements].flat()) await run(db, statement)

      const result = await audit(db)
      const broken = brokenIn(result)
      expect(
        broken
          .map((check) => check.name)
          .filter((check) => !REPLAY_CHECKS.has(check))
          .toSorted(),
      ).toEqual([corruption.check, ...Object.keys(corruption.alsoBroken ?? {})].toSorted())
      const check = broken.find((each) => each.name === corruption.check)
      // MySQL returns the fields of a JSON payload in a different order.
      const isExact = corruption.check !== 'events'
      expect(check?.findings).toEqual(
        corruption.findings.map((row) => (isExact ? row : { ...row, found: expect.stringMatching(`^${row.found}`) })),
      )
      expect(check?.broken).toBe(corruption.findings.length)
      expect(result.sound).toBe(false)
    })
  })
}

test('every check has a corruption', () => {
  const checks = new Set(
    Object.values(KINDS).flatMap((corruptionsOf) => corruptionsOf(ZERO_IDS).map((each) => each.check)),
  )
  for (const check of REPLAY_CHECKS) checks.add(check)
  const all: Record<CheckName, true> = {
    balances: true,
    chains: true,
    total: true,
    totals: true,
    payments: true,
    uses: true,
    refunds: true,
    returns: true,
    stock: true,
    sales: true,
    hours: true,
    told: true,
    events: true,
    sequence: true,
    states: true,
    offers: true,
    times: true,
    references: true,
    companions: true,
    ranges: true,
  }
  expect([...checks].toSorted()).toEqual(Object.keys(all).toSorted())
})
