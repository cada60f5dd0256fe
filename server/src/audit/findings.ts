import type { Check, Finding } from './audit-schemas.ts'
import { CHECKS, type CheckName } from './check-catalogue.ts'

/** Counts the rows read and the rows broken, and stores the first findings of each check. */
export class Findings {
  readonly #findingsMax: number
  readonly #checks = new Map<CheckName, Check>()

  constructor(findingsMax: number) {
    this.#findingsMax = findingsMax
    for (const [name, promise] of Object.entries(CHECKS) as [CheckName, string][]) {
      this.#checks.set(name, { name, promise, rows: 0, broken: 0, findings: [] })
    }
  }

  get checks(): Check[] {
    return [...this.#checks.values()]
  }

  addRows(name: CheckName, rows: number): void {
    this.#check(name).rows += rows
  }

  /** Counts a broken row, and stores the finding unless the check already has as many as are stored. */
  addFinding(name: CheckName, finding: Finding): void {
    const check = this.#check(name)
    check.broken++
    if (check.findings.length < this.#findingsMax) check.findings.push(finding)
  }

  #check(name: CheckName): Check {
    const check = this.#checks.get(name)
    if (!check) throw new Error(`CHECKS has no check ${name}.`)
    return check
  }
}

/** Formats a column's value for a finding: dates in ISO 8601, a missing value as `null`. */
export function format(value: unknown): string {
  return value instanceof Date ? value.toISOString() : String(value ?? null)
}
