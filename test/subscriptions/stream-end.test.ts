import { type PointsChange, refusalOf } from '@pointwise/client-sdk'
import { expect, test } from 'vitest'
import { signToken } from '../setup/configuration.ts'
import { run } from '../setup/database.ts'
import { openShop, type Shop } from '../setup/shop.ts'
import { subscribe } from '../setup/subscriber.ts'

const soon = { timeout: 10_000, interval: 5 }

const follow = (client: ReturnType<Shop['client']>) =>
  subscribe<PointsChange>((calls) => client.points.onChange.subscribe(undefined, calls))

const errorOf = (changes: AsyncIterableIterator<unknown>) =>
  changes.next().then(
    () => expect.fail('It was followed.'),
    (error) => error,
  )

const token = (userId: number, seconds: number) =>
  signToken({ sub: String(userId), exp: Math.floor(Date.now() / 1_000) + seconds })

test('who may not follow is refused as anywhere', async () => {
  await using shop = await openShop()
  const admin = await shop.admin()
  const refused = async (changes: AsyncIterableIterator<unknown>) => refusalOf(await errorOf(changes))
  const nobody = shop.client({ token: await shop.userToken(999) })
  expect(await refused(shop.client().orders.onChange.subscribe())).toEqual({ code: 'token_missing', retry: 'never' })
  expect(await refused(shop.client({ token: 'a.b.c' }).points.onChange.subscribe())).toMatchObject({
    code: 'token_invalid',
  })
  expect(await refused(admin.orders.onChange.subscribe())).toMatchObject({ code: 'not_allowed' })
  expect(await refused(nobody.points.onChange.subscribe())).toMatchObject({ code: 'user_not_found' })
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

test('a user may have so many streams, and so may all; who leaves makes room', async () => {
  await using shop = await openShop({ config: { streams: { perCaller: 2, inAll: 3 } } })
  const [ada, ben] = [await shop.givenUser(), await shop.givenUser()]
  using first = await follow(ada.client)
  const second = await follow(ada.client)
  const limited = { code: 'rate_limited', retry: 'same-key', afterMs: 5_000 }
  expect(refusalOf(await errorOf(ada.client.orders.onChange.subscribe()))).toEqual(limited)
  using third = await follow(ben.client)
  expect(refusalOf(await errorOf(ben.client.orders.onChange.subscribe()))).toEqual(limited)
  second[Symbol.dispose]()
  const hasRoom = async () => {
    using again = await follow(ben.client)
    await ben.client.points.charge.mutate({ amount: 1 })
    await expect.poll(() => again.error ?? again.told.length, soon).not.toBe(0)
    return again.error === undefined
  }
  await expect.poll(hasRoom, soon).toBe(true)
  expect([first.error, third.error]).toEqual([undefined, undefined])
})

test('when the token expires the client comes back with a fresh one, and has missed nothing', async () => {
  await using shop = await openShop()
  const { id } = await shop.givenUser()
  const tokens = [await token(id, 2), await token(id, 60)]
  const asked: { url: string; authorization: string | null }[] = []
  const client = shop.client({
    token: () => tokens[asked.length] ?? expect.fail('It asked too often.'),
    fetch: (input, init) => {
      asked.push({ url: String(input), authorization: new Headers(init?.headers).get('authorization') })
      return fetch(input, init)
    },
  })
  using points = await follow(client)
  const charge = async () => shop.asUser(id).points.charge({ amount: 1 })
  await charge()
  await points.has(1)
  const charging = (async () => {
    while (points.starts === 1) await charge()
  })()
  await points.started(2)
  await charging
  await charge()
  const rows = await run<{ id: number }>(shop.db, `select id from events where \`key\` = 'user:${id}' order by id`)
  await points.has(rows.length)
  expect(points.ids).toEqual(rows.map((row) => row.id))
  expect(asked.map(({ authorization }) => authorization)).toEqual(tokens.map((each) => `Bearer ${each}`))
  // What is in an address is in logs.
  for (const { url } of asked) for (const each of tokens) expect(url).not.toContain(each)
})

test('a token that cannot be renewed ends it, with the reason', async () => {
  await using shop = await openShop()
  const { id } = await shop.givenUser()
  using points = await follow(shop.client({ token: await token(id, 1) }))
  expect(refusalOf(await points.failed())).toEqual({ code: 'token_invalid', retry: 'never' })
})
