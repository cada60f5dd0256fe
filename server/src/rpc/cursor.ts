import { z } from 'zod'

const PREFIX = 'after:'

/** An opaque cursor that stands for "after the row of this id" in a listing that is newest first. */
export function encodeCursor(id: number): string {
  return Buffer.from(`${PREFIX}${id}`).toString('base64url')
}

/** Reads a cursor that `encodeCursor` made; any other string is invalid input. */
export const cursor = z
  .string()
  .max(64)
  .transform((text, context) => {
    const id = Number(Buffer.from(text, 'base64url').toString().slice(PREFIX.length))
    if (Number.isSafeInteger(id) && id >= 1 && encodeCursor(id) === text) return id
    context.addIssue({ code: 'custom', message: 'is no cursor that this server gave' })
    return z.NEVER
  })

/** Cuts a listing that was read one row further than asked into the page and the cursor of the next. */
export function toPage<Row extends { id: number }>(rows: Row[], limit: number) {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return { items, nextCursor: rows.length > limit && last ? encodeCursor(last.id) : null }
}
