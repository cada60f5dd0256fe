import { z } from 'zod'
import { id } from '../rpc/schemas.ts'

export const store = z.object({ id, name: z.string() })
export type Store = z.output<typeof store>
