import { createClient, isDecisive, type Refusal, refusalOf, safe } from '@pointwise/client-sdk'
import { createCaller, REFUSALS } from '@pointwise/server'
import { describe, expect, it } from 'vitest'
import { MUTATION_REFUSALS, USER_REFUSALS } from '../../server/src/rpc/procedures.ts'
import { openShop } from '../setup/shop.ts'

const refusal = { code: 'product_not_found', retry: 'never', productId: 4_711 }

describe('refusalOf', () => {
  it('returns the refusal of a call over HTTP: product_not_found', async () => {
    await using shop = await openShop()
    const [, error] = await safe(createClient({ url: shop.url }).products.get.query({ productId: 4_711 }))
    expect(refusalOf(error)).toEqual(refusal)
  })

  it('returns the refusal of an in-process call', async () => {
    await using shop = await openShop()
    const error = await createCaller({ db: shop.db })
      .products.get({ productId: 4_711 })
      .catch((error) => error)
    expect(refusalOf(error)).toEqual(refusal)
  })

  it('returns null for invalid input, whose issues the error contains', async () => {
    await using shop = await openShop()
    const [, error] = await safe(createClient({ url: shop.url }).products.get.query({ productId: -1 }))
    expect(refusalOf(error)).toBeNull()
    expect(error?.data?.issues).toMatchObject([{ path: ['productId'] }])
  })

  it.each([
    undefined,
    null,
    'price_changed',
    new Error('failed'),
    { data: null },
    { data: { refusal: null } },
    { data: { refusal: 'price_changed' } },
    { cause: { refusal: { code: 1, retry: 'never' } } },
    { data: { refusal: { code: 'price_changed' } } },
  ])('returns null for %j', (error) => {
    expect(refusalOf(error)).toBeNull()
  })
})

describe('isDecisive', () => {
  it('is false for the codes with which any call may be refused, for a subscription, and for a name that the call itself may have taken', () => {
    const indecisive = Object.keys(REFUSALS).filter((code) => !isDecisive({ code, retry: 'never' } as Refusal))
    expect(indecisive.toSorted()).toEqual(
      [...USER_REFUSALS, ...MUTATION_REFUSALS, 'name_taken', 'not_resumable'].toSorted(),
    )
  })
})
