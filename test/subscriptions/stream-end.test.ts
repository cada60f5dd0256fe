import { type PointsChange, refusalOf } from '@pointwise/client-sdk'
import { expect, test } from 'vitest'
import { eventually } from '../setup/eventually.ts'
import { openShop, type Shop } from '../setup/shop.ts'
import { subscribe } from '../setup/subscriber.ts'

const subscribeToPoints = (client: ReturnType<Shop['client']>) =>
  subscribe<PointsChange>((callbacks) => client.points.onChange.subscribe(undefined, callbacks))

const errorOf = (changes: AsyncIterableIterator<unknown>) =>
  changes.next().then(
    () => expect.fail('The subscription delivered a change.'),
    (error) => error,
  )

test('a subscription is refused like a query: token_missing, token_invalid, not_allowed, user_not_found, product_not_found', async () => {
  await using shop = await openShop()
  const admin = await shop.admin()
  const refused = async (changes: AsyncIterableIterator<unknown>) => refusalOf(await errorOf(changes))
  const unknownUser = shop.client({ token: await shop.userToken(999) })
  expect(await refused(shop.client().orders.onChange.subscribe())).toEqual({ code: 'token_missing', retry: 'never' })
  expect(await refused(shop.client({ token: 'a.b.c' }).points.onChange.subscribe())).toMatchObject({
    code: 'token_invalid',
  })
  expect(await refused(admin.orders.onChange.subscribe())).toMatchObject({ code: 'not_allowed' })
  expect(await refused(unknownUser.points.onChange.subscribe())).toMatchObject({ code: 'user_not_found' })
  const { id } = await shop.givenProduct()
  expect(await refused(admin.products.onStock.subscribe({ productIds: [id, id + 2, id + 1] }))).toEqual({
    code: 'product_not_found',
    retry: 'never',
    productId: id + 1,
  })
  for (const productIds of [[], Array(101).fill(id), [0]]) {
    expect(await errorOf(admin.products.onStock.subscribe({ productIds }))).toMatchObject({ data: { httpStatus: 400 } })
  }
})

test('streams above the limit of a user or of the server are rate_limited, and a disconnected stream frees its place', async () => {
  await using shop = await openShop({ config: { streams: { perCaller: 2, total: 3 } } })
  const [ada, ben] = [await shop.givenUser(), await shop.givenUser()]
  using first = await subscribeToPoints(ada.client)
  const second = await subscribeToPoints(ada.client)
  const limited = { code: 'rate_limited', retry: 'same-key', afterMs: 5_000 }
  expect(refusalOf(await errorOf(ada.client.orders.onChange.subscribe()))).toEqual(limited)
  using third = await subscribeToPoints(ben.client)
  expect(refusalOf(await errorOf(ben.client.orders.onChange.subscribe()))).toEqual(limited)
  second[Symbol.dispose]()
  const canSubscribe = async () => {
    using fourth = await subscribeToPoints(ben.client)
    await ben.client.points.charge.mutate({ amount: 1 })
    await eventually(() => fourth.error ?? fourth.ids.length).not.toBe(0)
    return fourth.error === undefined
  }
  await eventually(canSubscribe).toBe(true)
  expect([first.error, third.error]).toEqual([undefined, undefined])
})
