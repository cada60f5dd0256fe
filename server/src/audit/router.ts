import { z } from 'zod'
import { router } from '../rpc/init.ts'
import { adminProcedure } from '../rpc/procedures.ts'
import * as examples from './examples.ts'
import { CHECKS, type CheckName } from './findings.ts'

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

export const auditRouter = router({
  run: adminProcedure()
    .meta({
      description:
        'Holds all books against each other, in one consistent read that holds nobody up. Whoever asks while one is under way gets that one.',
      example: examples.run,
    })
    .input(z.strictObject({}).optional())
    .output(z.strictObject({ sound: z.boolean(), asOf: z.date(), durationMs: z.int(), checks: z.array(check) }))
    .query(({ ctx }) => ctx.audit.run()),
})
