import { createClient, isDecisive, type Refusal, refusalOf, safe } from '@pointwise/client-sdk'
import { createCaller } from '@pointwise/server'
import { describe, expect, it } from 'vitest'
import contract from '../../client-sdk/contract.snapshot.json' with { type: 'json' }
import { openShop } from '../setup/shop.ts'

const refused = { code: 'product_not_found', retry: 'never', productId: 4_711 }

describe('refusalOf', () => {
  it('reads the refusal that came over HTTP', async () => {
    await using shop = await openShop()
    const [, error] = await safe(createClient({ url: shop.url }).products.get.query({ productId: 4_711 }))
    expect(refusalOf(error)).toEqual(refused)
  })

  it('reads the refusal of a call made in-process', async () => {
    await using shop = await openShop()
    const error = await createCaller({ db: shop.db })
      .products.get({ productId: 4_711 })
      .catch((error) => error)
    expect(refusalOf(error)).toEqual(refused)
  })

  it('finds none in invalid input, which says what was wrong with it', async () => {
    await using shop = await openShop()
    const [, error] = await safe(createClient({ url: shop.url }).products.get.query({ productId: -1 }))
    expect(refusalOf(error)).toBeNull()
    expect(error?.data?.issues).toMatchObject([{ path: ['productId'] }])
  })

  it.each([
    undefined,
    null,
    'price_changed',
    new Error('No.'),
    { data: null },
    { data: { refusal: null } },
    { data: { refusal: 'price_changed' } },
    { cause: { refusal: { code: 1, retry: 'never' } } },
    { data: { refusal: { code: 'price_changed' } } },
  ])('finds none in %j', (error) => {
    expect(refusalOf(error)).toBeNull()
  })
})

describe('isDecisive', () => {
  const codes = Object.keys(contract.refusals)
  const { refusals: atTheDoor } = contract.procedures['users.me']

  it('leaves open what became of an earlier try where every call of a user may be refused so, and only there', () => {
    const open = codes.filter((code) => !isDecisive({ code, retry: 'never' } as Refusal))
    expect(open.toSorted()).toEqual(atTheDoor.toSorted())
  })
})
