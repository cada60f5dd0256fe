import { type PointsChange, refusalOf } from '@pointwise/client-sdk'
import { expect, test } from 'vitest'
import { signToken } from '../setup/configuration.ts'
import { run } from '../setup/database.ts'
import { openShop, type Shop } from '../setup/shop.ts'
import { subscribe } from '../setup/subscriber.ts'

const subscribeToPoints = (client: ReturnType<Shop['client']>) =>
  subscribe<PointsChange>((callbacks) => client.points.onChange.subscribe(undefined, callbacks))

const signExpiringToken = (userId: number, seconds: number) =>
  signToken({ sub: String(userId), exp: Math.floor(Date.now() / 1_000) + seconds })

test('when its token expires, a client reconnects with a new token and misses nothing', async () => {
  await using shop = await openShop()
  const { id } = await shop.givenUser()
  const tokens = [await signExpiringToken(id, 2), await signExpiringToken(id, 60)]
  const requests: { url: string; authorization: string | null }[] = []
  const client = shop.client({
    token: () => tokens[requests.length] ?? expect.fail('The client requested a third token.'),
    fetch: (input, init) => {
      requests.push({ url: String(input), authorization: new Headers(init?.headers).get('authorization') })
      return fetch(input, init)
    },
  })
  using points = await subscribeToPoints(client)
  const charge = async () => shop.asUser(id).points.charge({ amount: 1 })
  await charge()
  await points.received(1)
  const charging = (async () => {
    while (points.starts === 1) await charge()
  })()
  await points.started(2)
  await charging
  await charge()
  const rows = await run<{ id: number }>(shop.db, `select id from events where \`key\` = 'user:${id}' order by id`)
  await points.received(rows.length)
  expect(points.ids).toEqual(rows.map((row) => row.id))
  expect(requests.map(({ authorization }) => authorization)).toEqual(tokens.map((token) => `Bearer ${token}`))
  // URLs appear in logs.
  for (const { url } of requests) for (const token of tokens) expect(url).not.toContain(token)
})

test('when its token expires and cannot be renewed, the subscription fails with token_invalid', async () => {
  await using shop = await openShop()
  const { id } = await shop.givenUser()
  using points = await subscribeToPoints(shop.client({ token: await signExpiringToken(id, 1) }))
  expect(refusalOf(await points.failed())).toEqual({ code: 'token_invalid', retry: 'never' })
})
