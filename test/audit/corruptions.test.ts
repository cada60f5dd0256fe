import type { Pool } from '@pointwise/db'
import { type Audit, audit, type CheckName } from '@pointwise/server'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run } from '../setup/database.ts'
import { type Fault, faultsOfOrders, faultsOfWallets } from './corruptions.ts'
import { faultsOfEvents, faultsOfSales } from './sales-corruptions.ts'
import { type Books, keepBooks, unguardedDatabase } from './sound-shop.ts'
import { faultsOfRanges, faultsOfReferences } from './table-corruptions.ts'

let db: Pool
beforeAll(async () => {
  db = await unguardedDatabase()
})
afterAll(() => db.destroy())

/** Every id of the books, where only the names of the faults matter. */
const ZEROS = new Proxy({}, { get: () => 0 })
const NOBODY = new Proxy({}, { get: (_, key) => (key === 'fresh' ? 0 : ZEROS) }) as Books

const KINDS: Record<string, (books: Books) => Fault[]> = {
  'a wallet': faultsOfWallets,
  'an order': faultsOfOrders,
  'a sale': faultsOfSales,
  'an event': faultsOfEvents,
  'a reference': faultsOfReferences,
  'a range': faultsOfRanges,
}

const brokenIn = ({ checks }: Audit) => checks.filter(({ broken }) => broken > 0)

for (const [kind, faultsOf] of Object.entries(KINDS)) {
  describe(`a fault in ${kind} is named, with what was expected and found:`, () => {
    test.each(faultsOf(NOBODY).map(({ name }) => name))('%s', async (name) => {
      const fault = faultsOf(await keepBooks(db)).find((each) => each.name === name)
      if (!fault) throw new Error(`There is no fault ${name}.`)
      for (const statement of [fault.plant].flat()) await run(db, statement)

      const result = await audit(db)
      const checks = brokenIn(result)
      expect(checks.map((check) => check.name).toSorted()).toEqual(
        [fault.check, ...Object.keys(fault.follows ?? {})].toSorted(),
      )
      const check = checks.find((each) => each.name === fault.check)
      // An event's payload is given back in another order of its fields by MySQL.
      const isExact = fault.check !== 'events'
      expect(check?.findings).toEqual(
        fault.findings.map((row) => (isExact ? row : { ...row, found: expect.stringMatching(`^${row.found} to `) })),
      )
      expect(check?.broken).toBe(fault.findings.length)
      expect(result.sound).toBe(false)
    })
  })
}

test('there is a fault for every check', () => {
  const checks = new Set(Object.values(KINDS).flatMap((faultsOf) => faultsOf(NOBODY).map(({ check }) => check)))
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
    references: true,
    companions: true,
    ranges: true,
  }
  expect([...checks].toSorted()).toEqual(Object.keys(all).toSorted())
})
