import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run } from '../setup/database.ts'
import { expectRefused, runConcurrently } from '../setup/refusals.ts'
import { type Client, openShop, type Shop } from '../setup/shop.ts'
import { inSuite } from '../setup/suite.ts'

let shop: Shop
let admin: Client
beforeAll(async () => {
  shop = await openShop()
  admin = await shop.admin()
})
afterAll(() => shop[Symbol.asyncDispose]())

const creations: [string, (name: string) => Promise<{ name: string }>][] = [
  ['users.create', (name) => admin.users.create.mutate({ name })],
  ['stores.create', (name) => admin.stores.create.mutate({ name })],
]

describe.each(creations)('%s', (_, create) => {
  test.each([
    ['ハハ', 'パパ'],
    ['José', 'Jose'],
    ['びょういん', 'びよういん'],
    ['Nguyễn', 'Nguyen'],
    ['Işık', 'Isik'],
  ])('accepts both %s and %s', async (a, b) => {
    expect([await create(a), await create(b)]).toMatchObject([{ name: a }, { name: b }])
  })

  test.each([
    ['María', 'MARÍA'],
    ['Zoe\u0308', 'Zo\u00EB'],
    ['Groß', 'GROSS'],
    ['Grace Hopper', ' Grace\u00A0Hopper\u2003'],
    ['می‌خواهم', 'میخواهم'],
  ])('refuses %s and %s as the same name, with the name as it would be stored', async (a, b) => {
    expect(await create(a)).toMatchObject({ name: a.normalize('NFC') })
    const name = b.normalize('NFC').trim()
    await expectRefused(shop, () => create(b), 409, { code: 'name_taken', name })
  })

  test('accepts one of several forms of a name that are sent at once', async () => {
    const forms = ['Åsa', 'åsa', 'A\u030Asa', ' ÅSA ']
    const { answers, refusals } = await runConcurrently(forms.map((name) => () => create(name)))
    expect([answers.length, refusals]).toEqual([1, { name_taken: 3 }])
  })
})

const procedures: [string, max: number, (name: string) => Promise<{ name: string }>][] = [
  ['users.create', 150, (name) => admin.users.create.mutate({ name })],
  ['stores.create', 50, (name) => admin.stores.create.mutate({ name })],
  ['products.create', 200, async (name) => createProduct(name)],
  [
    'products.update',
    200,
    async (name) => admin.products.update.mutate({ productId: (await createProduct('Mug')).id, name }),
  ],
]

async function createProduct(name: string) {
  const storeId = (await shop.asAdmin().stores.list())[0]?.id ?? (await shop.givenStore()).id
  return admin.products.create.mutate({ storeId, name, price: 1, stock: 1 })
}

/** Each is refused in the middle of a name, at its end and alone; `npm test` tries the middle. */
const REFUSED = {
  controls: ['\u0000', '\u0007', '\u001B', '\u007F', '\u009B'],
  'zero width': ['\u200B', '\u2060', '\u2064', '\uFEFF', '\u034F', '\u180E'],
  'direction marks': ['\u200E', '\u200F', '\u061C', '\u202A', '\u202E', '\u2066', '\u2069'],
  'blank letters': ['\u3164', '\u115F', '\u1160', '\uFFA0', '\u2800', '\u17B4', '\u00AD'],
  tags: ['\u{E0001}', '\u{E0041}', '\u{E007F}'],
  'private, unassigned and replaced': ['\uE000', '\u{10FFFF}', '\uFFFE', '\u0378', '\uFFF9', '\uFFFC', '\uFFFD'],
  'unpaired surrogates': ['\uD83D', '\uDC00'],
}

describe.each(procedures)('%s', (procedure, max, save) => {
  test.each(Object.entries(REFUSED))('refuses %s', async (_, characters) => {
    for (const character of characters) {
      const elsewhere = inSuite([], [`Ada${character}`, character])
      for (const name of [`A${character}da`, ...elsewhere]) {
        await expect(save(name), JSON.stringify(name)).rejects.toMatchObject({
          data: { httpStatus: 400, issues: [{ path: ['name'] }] },
        })
      }
    }
  })

  test('refuses line breaks within a name, misplaced joiners, and names without a visible character', async () => {
    for (const name of ['A\nda', 'A\r\nda', 'A\tda', 'A\u0085da', 'A\u2028da', 'A\u2029da']) await refused(name)
    for (const name of ['\u200DAda', 'Ada\u200D', 'A \u200Dda', 'A\u200C\u200Cda', '\uFE0FA', 'A\uFE0F\uFE0F']) {
      await refused(name)
    }
    for (const name of ['', ' ', '\t\n', '\u00A0\u3000', '\u0301']) await refused(name)
  })
  const refused = (name: string) =>
    expect(save(name), JSON.stringify(name)).rejects.toMatchObject({ data: { httpStatus: 400 } })

  test('accepts emoji sequences and scripts that need joiners', async () => {
    const names = [
      '👨‍👩‍👧‍👦',
      '🏳️‍🌈',
      '👩🏽‍🚀',
      '❤️',
      '1️⃣',
      '🇰🇷',
      'نمی‌دانم',
      'ක්‍රීඩා',
      'क्‍ष',
      '葛\u{E0100}城',
      "O'Neil-Ünal 2",
    ]
    for (const name of names) {
      const unique = `${procedure} ${name}`
      expect(await save(unique)).toMatchObject({ name: unique })
    }
  })

  test('stores a name in NFC and without white space at its ends', async () => {
    const decomposed = `${procedure} Ame\u0301lie`
    expect(await save(`\u3000\t${decomposed}\n`)).toMatchObject({ name: `${procedure} Am\u00E9lie` })
  })

  test(`accepts ${max} characters, counted as code points after normalization`, async () => {
    for (const character of ['𠮷', '\u1100\u1161', 'x']) {
      const name = character.repeat(max)
      expect(await save(name)).toMatchObject({ name: name.normalize('NFC') })
      await refused(`${name}x`)
    }
  })
})

test('a name that a server of the previous version wrote is taken before its key is written', async () => {
  await run(shop.db, "insert into users (name) values ('Élodie')")
  await expectRefused(shop, () => admin.users.create.mutate({ name: 'élodie' }), 409, {
    code: 'name_taken',
    name: 'élodie',
  })
  expect(await admin.users.create.mutate({ name: 'Elodie' })).toMatchObject({ name: 'Elodie' })
  await run(shop.db, 'delete from users where name_key is null')
})
