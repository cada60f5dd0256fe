/** What the audit checks, in the order in which it tells. */
export const CHECKS = {
  balances: 'A wallet’s balance is the sum of its history.',
  chains: 'Each row of a history continues the balance of the row before it.',
  total: 'Charges less payments plus refunds are all balances together.',
  totals: 'An order costs what its lines cost.',
  payments: 'An order that was paid has one payment, by its owner, of its total; no other has one.',
  uses: 'An order that was paid has one USE row, in its owner’s wallet, over its total; no other has one.',
  refunds: 'A refunded order has one refund, of its total; no other has one.',
  returns: 'A refunded order has one REFUND row, in its owner’s wallet, over its total; no other has one.',
  stock: 'A product’s stock and what was sold of it are all that was ever stocked.',
  sales: 'A product’s sales volume is what was paid and not refunded.',
  hours: 'The sales of an hour are what was paid in it and not refunded.',
  told: 'Each charge, and each order that was placed, paid, refunded or cancelled, has its one event.',
  events: 'No event tells of what did not happen, or of another amount, balance or product.',
  references: 'Every reference leads to a row.',
  companions: 'Every user has a wallet, every product has its stock.',
  ranges: 'Every value is in its range.',
} as const

export type CheckName = keyof typeof CHECKS

/** A row that breaks a promise. */
export interface Finding {
  /** The table, which the row may be missing from. */
  what: string
  /** By which columns the row is found. */
  ids: Record<string, number | string>
  expected: string
  found: string
}

export interface Check {
  name: CheckName
  promise: string
  /** How many rows were looked at. */
  rows: number
  /** How many of them break the promise. */
  broken: number
  /** The first of them. */
  findings: Finding[]
}

/** Counts what was looked at and what is broken, and keeps the first findings of each check. */
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

  addFinding(name: CheckName, finding: Finding): void {
    const check = this.#check(name)
    check.broken++
    if (check.findings.length < this.#findingsMax) check.findings.push(finding)
  }

  #check(name: CheckName): Check {
    const check = this.#checks.get(name)
    if (!check) throw new Error(`There is no check ${name}.`)
    return check
  }
}

/** A value as a person reads it. */
export function format(value: unknown): string {
  if (value === null || value === undefined) return 'none'
  return value instanceof Date ? value.toISOString() : String(value)
}
