import type { Pool } from '@pointwise/db'
import { audit } from '@pointwise/server'
import { expect } from 'vitest'

/** Asserts that the audit finds no broken row. */
export async function expectAuditPasses(db: Pool): Promise<void> {
  const { checks } = await audit(db)
  expect(checks.filter(({ broken }) => broken > 0)).toEqual([])
}
