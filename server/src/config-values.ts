import { z } from 'zod'

const SHOWN_LENGTH_MAX = 100

/** An empty variable counts as unset. */
export const optional = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((text) => (text === '' ? undefined : text), schema.optional())

/** Completes a message with the value of the variable. Not for variables that can contain a secret. */
export const expected =
  (what: string, example: string) =>
  ({ input }: { input?: unknown }) =>
    `must be ${what}; it is ${JSON.stringify(String(input).slice(0, SHOWN_LENGTH_MAX))}; set it to ${example}, for example`

export const isWholeNumber = (text: string, min: number, max: number) =>
  /^\d+$/.test(text) && Number(text) >= min && Number(text) <= max

export const wholeNumber = (min: number, max: number, example: number) =>
  z
    .string()
    .refine((text) => isWholeNumber(text, min, max), {
      error: expected(`a whole number from ${min} to ${max}`, String(example)),
    })
    .transform(Number)
