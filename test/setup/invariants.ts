import type { Pool } from '@pointwise/db'
import { audit } from '@pointwise/server'
import { expect } from 'vitest'

/** The books keep every promise of the audit. */
export async function expectAuditPasses(db: Pool): Promise<void> {
  const { checks } = await audit(db)
  expect(checks.filter(({ broken }) => broken > 0)).toEqual([])
}
