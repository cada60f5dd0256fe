import { z } from 'zod'
import { CHECKS, type CheckName } from './check-catalogue.ts'

const finding = z.strictObject({
  what: z.string(),
  ids: z.record(z.string(), z.union([z.number(), z.string()])),
  expected: z.string(),
  found: z.string(),
})

const check = z
  .strictObject({
    name: z.enum(Object.keys(CHECKS) as CheckName[]),
    promise: z.string(),
    rows: z.int(),
    broken: z.int(),
    findings: z.array(finding),
  })
  .meta({ id: 'AuditCheck' })

export const auditResult = z.strictObject({
  sound: z.boolean(),
  asOf: z.date(),
  durationMs: z.int(),
  checks: z.array(check),
})

/**
 * A row that fails a check. `what` is the table, even if the row is missing from it; `ids` are the columns that identify
 * the row, with their values.
 */
export type Finding = z.output<typeof finding>

/**
 * The result of one check. `promise` is the statement that it verifies, `rows` how many rows it read, `broken` how many
 * of them fail it, and `findings` the first of those.
 */
export type Check = z.output<typeof check>

/**
 * The result of an audit. `sound` is true if no check found a broken row, and `asOf` is the time of the snapshot by the
 * database's clock.
 */
export type AuditResult = z.output<typeof auditResult>
