import { z } from 'zod'

/** What may precede a joiner or a variation selector: a letter, a mark, a digit, or a symbol such as an emoji. */
const BASE = '(?!\\p{Default_Ignorable_Code_Point})[\\p{L}\\p{M}\\p{N}\\p{S}#*]'
/** A variation selector after its base, or a joiner between two characters that it can join. */
const WELL_PLACED = new RegExp(
  `(?<=${BASE})\\p{Variation_Selector}|(?<=${BASE}\\p{Variation_Selector}?)[\\u200C\\u200D](?=(?!\\p{Default_Ignorable_Code_Point})[\\p{L}\\p{M}\\p{S}])`,
  'gu',
)
/**
 * Control characters, line breaks, private and unassigned code points, invisible characters, and characters that only look
 * like a space or stand for lost text. It includes the formatting characters, which are removed where they are well placed.
 */
const FORBIDDEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Default_Ignorable_Code_Point}\u2800\uFFF9-\uFFFD]/u
const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}]/u

const DESCRIPTION =
  'It is stored in Unicode form NFC, without white space at the ends. It contains a visible character, and no control ' +
  'characters, line breaks or invisible characters, except the joiners and variation selectors of emoji and of scripts ' +
  'that need them.'

/** A name of at most `max` characters (Unicode code points), in the form in which it is stored. */
export const nameUpTo = (max: number) =>
  z
    .string()
    .overwrite((name) => name.normalize('NFC').replace(/^\p{White_Space}+|\p{White_Space}+$/gu, ''))
    .refine((name) => name.isWellFormed(), { message: 'must be well-formed Unicode', abort: true })
    .refine((name) => [...name].length <= max, { message: `must have at most ${max} characters`, abort: true })
    .refine((name) => VISIBLE.test(name), { message: 'must contain a visible character', abort: true })
    .refine(
      (name) => !FORBIDDEN.test(name.replace(WELL_PLACED, '')),
      'must not contain control, invisible or unassigned characters',
    )
    .meta({ minLength: 1, maxLength: max, description: `At most ${max} characters. ${DESCRIPTION}` })
