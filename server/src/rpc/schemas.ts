import { randomUUID } from 'node:crypto'
import { z } from 'zod'

/** A whole number. -0 becomes 0: JSON and JavaScript treat the two as equal, and superjson as different values. */
export const wholeNumber = z.int().overwrite((number) => number + 0)

/** The id of a row. */
export const id = wholeNumber.min(1)

/** The maximum of a price, a total and an amount of stock. */
export const INT_MAX = 2_147_483_647

/** A price in whole points. */
export const price = wholeNumber.min(0).max(INT_MAX)

/** The status of an order. */
export const orderStatus = z.enum(['pending', 'paid', 'cancelled', 'refunded'])

/** UUIDs that mean "no id" (RFC 9562). A client whose generator fails sends them for different calls. */
const RESERVED_UUIDS = ['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff']

/**
 * A UUID that the client chooses before it sends a call, in the input or in the header `Idempotency-Key`. Upper case and lower
 * case are equal. Without a key the server generates one, and a repeat is a new call.
 */
export const idempotencyKey = z
  .uuid()
  .toLowerCase()
  .refine((key) => !RESERVED_UUIDS.includes(key), 'must not be the nil UUID or the max UUID')
  .default(() => randomUUID())
  .meta({ description: 'A UUID that you choose before the call. Repeated calls with the same key have one effect.' })

/** The number of items on a page of a keyset listing. */
export const limit = wholeNumber.min(1).max(50).default(20)

/** A page of a keyset listing. `nextCursor` is null on the last page. */
export const keysetPage = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() })

/** Describes the order of a listing in the API documents. */
export const newestFirst = <Listing extends z.ZodType>(listing: Listing): Listing =>
  listing.meta({ description: 'newest first' })
