import { z } from 'zod'
import { id } from '../rpc/schemas.ts'

export const user = z.object({ id, name: z.string(), createdAt: z.date() })
export type User = z.output<typeof user>
