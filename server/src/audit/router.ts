import { z } from 'zod'
import { router } from '../rpc/init.ts'
import { adminProcedure } from '../rpc/procedures.ts'
import { auditResult } from './audit-schemas.ts'
import * as examples from './examples.ts'

export const auditRouter = router({
  run: adminProcedure()
    .meta({
      description:
        'Checks that all stored records are consistent, in one snapshot that takes no locks. A call during an audit returns the result of that audit.',
      example: examples.run,
    })
    .input(z.strictObject({}).optional())
    .output(auditResult)
    .query(({ ctx }) => ctx.audit.run()),
})
