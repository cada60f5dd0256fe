import { nameKey } from '@pointwise/db'
import { describe, expect, test } from 'vitest'
import { inSuite } from '../setup/suite.ts'

/** Most scripts with upper and lower case, or all of Unicode. */
const LAST_CODE_POINT = inSuite(0x2fff, 0x10ffff)

const same = (a: string, b: string) => nameKey(a) === nameKey(b)

describe('two names are the same', () => {
  test.each([
    ['JOSÉ', 'josé'],
    ['Jos\u00E9', 'Jose\u0301'],
    ['Nguy\u1EC5n', 'Nguye\u0302\u0303n'],
    ['パパ', 'ハ\u309Aハ\u309A'],
    ['김민수', '김민수'.normalize('NFD')],
    ['Straße', 'STRASSE'],
    ['STRAẞE', 'strasse'],
    ['ΟΔΟΣ', 'οδος'],
    ['οδοσ', 'οδος'],
    ['İzmir', 'i\u0307zmir'],
    ['ﬁsh', 'FISH'],
    ['ǅ', 'ǆ'],
    ['ᾳ', 'ΑΙ'],
    ['Kelvin', 'kelvin'],
    ['ａｄａ', 'ＡＤＡ'],
    [' Ada ', 'Ada'],
    ['Ada  Lovelace', 'Ada Lovelace'],
    ['山田\u3000太郎', '山田 太郎'],
    ['Ada\u200BLovelace', 'AdaLovelace'],
    ['می\u200Cخواهم', 'میخواهم'],
    ['❤\uFE0F', '❤'],
  ])('%j and %j', (a, b) => {
    expect(same(a, b)).toBe(true)
  })
})

describe('two names are different', () => {
  test.each([
    ['ハハ', 'パパ'],
    ['ハハ', 'ババ'],
    ['José', 'Jose'],
    ['びょういん', 'びよういん'],
    ['Nguyễn', 'Nguyen'],
    ['ひらがな', 'ヒラガナ'],
    ['Işık', 'Isik'],
    ['ı', 'i'],
    ['İ', 'i'],
    ['Ａda', 'Ada'],
    ['ﾊﾟﾊﾟ', 'パパ'],
    ['①', '1'],
    ['🍎', '🍏'],
    ['👍🏻', '👍🏿'],
    ['Ada Lovelace', 'AdaLovelace'],
    ['Ada', 'Аda'],
  ])('%j and %j', (a, b) => {
    expect(same(a, b)).toBe(false)
  })
})

test('every character has the key of its lower and upper case, and the key of a key is the key', () => {
  const wrong: string[] = []
  for (let code = 0; code <= LAST_CODE_POINT; code++) {
    const character = String.fromCodePoint(code)
    if (!/[\p{L}\p{M}\p{N}\p{S}]/u.test(character)) continue
    const key = nameKey(character)
    if (nameKey(key) !== key || nameKey(character.normalize('NFD')) !== key) wrong.push(character)
    // The dotted and the dotless i of Turkish are letters of their own.
    if ('ıİ'.includes(character)) continue
    if (!same(character, character.toLowerCase()) || !same(character, character.toUpperCase())) wrong.push(character)
  }
  expect(wrong).toEqual([])
})

test('letters with the same simple case folding have the same key, and no other letter has the key of an ASCII letter', () => {
  const wrong: string[] = []
  for (let code = 0x80; code <= LAST_CODE_POINT; code++) {
    const character = String.fromCodePoint(code)
    if (!/\p{L}/u.test(character)) continue
    const key = nameKey(character)
    if (/^[A-Z]$/.test(key) && !new RegExp(`^${key}$`, 'iu').test(character)) wrong.push(character)
    const lower = character.toLowerCase()
    if (
      [...lower].length === 1 &&
      new RegExp(`^\\u{${code.toString(16)}}$`, 'iu').test(lower) &&
      !same(lower, character)
    ) {
      wrong.push(character)
    }
  }
  expect(wrong).toEqual([])
})
