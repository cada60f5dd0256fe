import { z } from 'zod'

const PREFIX = 'after:'

/** Encodes the opaque cursor of the position after the row with this id, in a listing from new to old. */
export function encodeCursor(id: number): string {
  return Buffer.from(`${PREFIX}${id}`).toString('base64url')
}

/** Parses a cursor of `encodeCursor` into its id. Any other string is invalid input. */
export const cursor = z
  .string()
  .max(64)
  .transform((text, context) => {
    const id = Number(Buffer.from(text, 'base64url').toString().slice(PREFIX.length))
    if (Number.isSafeInteger(id) && id >= 1 && encodeCursor(id) === text) return id
    context.addIssue({ code: 'custom', message: 'must be a cursor that this server returned' })
    return z.NEVER
  })

/** Splits a listing that was read with one row more than `limit` into the page and the cursor of the next page. */
export function toPage<Row extends { id: number }>(rows: Row[], limit: number) {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return { items, nextCursor: rows.length > limit && last ? encodeCursor(last.id) : null }
}
