import { randomUUID } from 'node:crypto'
import { z } from 'zod'

/** An id of a row: a whole number from 1. */
export const id = z.int().min(1)

/** The largest whole number that a price, a total or an amount of stock may be. */
export const INT_MAX = 2_147_483_647

/** A price in whole points. */
export const price = z.int().min(0).max(INT_MAX)

export const orderStatus = z.enum(['pending', 'paid', 'cancelled', 'refunded'])

/** A UUID that the client chose before it sent the call. Without one we make one, and a repeat is another call. */
export const idempotencyKey = z
  .uuid()
  .default(() => randomUUID())
  .meta({ description: 'A UUID that you choose before you call: the same call with the same key has one effect.' })

/** How many items a page of a keyset listing has. */
export const limit = z.int().min(1).max(50).default(20)

/** A name as a person wrote it: 1 to `max` characters, not only blanks, and none of them half of one. */
export const nameUpTo = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/\S/, 'must contain a visible character')
    .refine((name) => name.isWellFormed(), 'must be well-formed Unicode')

/** A page of a keyset listing; `nextCursor` is null on the last. */
export const keysetPage = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() })

/** Says of a listing in which order it comes. */
export const newestFirst = <Listing extends z.ZodType>(listing: Listing): Listing =>
  listing.meta({ description: 'newest first' })
