import type { UseType } from '@pointwise/db'
import { z } from 'zod'
import { id } from '../rpc/schemas.ts'

/** How many points a wallet holds at most. */
export const BALANCE_MAX = 1_000_000

const points = z.int().min(0).max(BALANCE_MAX)

export const balance = z.object({ balance: points, limit: z.int(), updatedAt: z.date() })
export type Balance = z.output<typeof balance>

export const charge = z.object({ historyId: id, amount: z.int(), balance: points, replayed: z.boolean() })
export type Charge = z.output<typeof charge>

export const history = z.object({
  id,
  type: z.enum(['CHARGE', 'USE', 'REFUND']) satisfies z.ZodType<UseType>,
  amount: z.int(),
  balance: points,
  orderId: id.nullable(),
  createdAt: z.date(),
})
/** A change of a balance: `amount` is signed, `balance` is the balance after it. */
export type History = z.output<typeof history>
