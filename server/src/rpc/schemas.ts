import { randomUUID } from 'node:crypto'
import { z } from 'zod'

/** The id of a row. */
export const id = z.int().min(1)

/** The maximum of a price, a total and an amount of stock. */
export const INT_MAX = 2_147_483_647

/** A price in whole points. */
export const price = z.int().min(0).max(INT_MAX)

/** The status of an order. */
export const orderStatus = z.enum(['pending', 'paid', 'cancelled', 'refunded'])

/** A UUID that the client chooses before it sends a call. Without one the server generates one, and a repeat is a new call. */
export const idempotencyKey = z
  .uuid()
  .default(() => randomUUID())
  .meta({ description: 'A UUID that you choose before the call. Repeated calls with the same key have one effect.' })

/** The number of items on a page of a keyset listing. */
export const limit = z.int().min(1).max(50).default(20)

/** A name of at most `max` UTF-16 code units. It contains a visible character and no unpaired surrogates. */
export const nameUpTo = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/\S/, 'must contain a visible character')
    .refine((name) => name.isWellFormed(), 'must be well-formed Unicode')

/** A page of a keyset listing. `nextCursor` is null on the last page. */
export const keysetPage = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() })

/** Describes the order of a listing in the API documents. */
export const newestFirst = <Listing extends z.ZodType>(listing: Listing): Listing =>
  listing.meta({ description: 'newest first' })
