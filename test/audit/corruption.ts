import type { CheckName, Finding } from '@pointwise/server'

/** A change to the tables that no procedure would make, and the findings that the audit must report for it. */
export interface Corruption {
  name: string
  statements: string | string[]
  check: CheckName
  findings: Finding[]
  /** The other checks that the change necessarily fails, each with the reason. */
  alsoBroken?: Partial<Record<CheckName, string>>
}

/** An id that no row has. */
export const MISSING_ID = 2 ** 40

export const oneFinding = (what: string, ids: Finding['ids'], expected: string, found: string): Finding[] => [
  { what, ids, expected, found },
]
